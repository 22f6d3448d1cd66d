"""Training curves of a run, thinned out for drawing: loss, validation scores, anything with a step."""

import csv
import functools
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sr.report.runs import MAX_KEPT, natural_key
from sr.runs.files import stamp

MAX_POINTS = 160
"""Points kept of each curve: more than a chart has pixels for on a phone, and 100 runs stay small."""


def curves(folder: Path, most: int = MAX_POINTS) -> dict[str, list[tuple[int, float]]]:
    """Read the curves of a run from its CSV logs; of a resumed run, later starts replace what they repeat.

    Args:
        folder: the run folder.
        most: points to keep of each curve, at most `MAX_POINTS`.

    Returns:
        {"train/loss": [(iteration, value), ...], "val/psnr_y_db": ...}; empty where nothing was logged as CSV.
    """
    logs = sorted(folder.glob("logs/version_*/metrics.csv"), key=lambda path: natural_key(str(path)))
    found = _read(tuple((path, stamp(path)) for path in logs))
    return {name: thinned(points, most) for name, points in found.items()}


@functools.lru_cache(maxsize=MAX_KEPT)
def _read(logs: tuple[tuple[Path, object], ...]) -> dict[str, list[tuple[int, float]]]:
    """Read the curves of some logs, once for each stamp of theirs."""
    found: dict[str, dict[int, float]] = {}
    for path, _ in logs:
        own: dict[str, dict[int, float]] = {}
        for name, step, value in _values(path):
            own.setdefault(name, {})[step] = value
        for name, points in own.items():
            first = min(points)
            found[name] = {at: value for at, value in found.get(name, {}).items() if at < first} | points
    return {name: thinned(sorted(points.items())) for name, points in found.items()}


def _values(path: Path) -> Iterator[tuple[str, int, float]]:
    """Yield the finite values of a log as (name, step, value); a torn last line is left out.

    Scores of the finished net have names of three parts and are in the report.
    """
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            rows = csv.reader(file)
            heading = next(rows, [])
            columns = [(at, name) for at, name in enumerate(heading) if name.count("/") == 1]
            step_at = heading.index("step") if "step" in heading else len(heading)
            for row in rows:
                yield from _of_row(row, step_at, columns)
    except (OSError, csv.Error):
        return


def _of_row(row: list[str], step_at: int, columns: list[tuple[int, str]]) -> Iterator[tuple[str, int, float]]:
    """Yield the values of one line."""
    step = _number(row[step_at]) if step_at < len(row) else None
    if step is None:
        return
    for at, name in columns:
        value = _number(row[at]) if at < len(row) and row[at] else None
        if value is not None:
            yield name, int(step), value


def _number(text: Any) -> float | None:
    """Return a finite number, or None."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def thinned(points: Iterable[tuple[int, float]], most: int = MAX_POINTS) -> list[tuple[int, float]]:
    """Reduce points to at most `most`, each the mean of its neighbours at the last one's iteration.

    >>> thinned([(1, 1.0), (2, 3.0), (3, 5.0), (4, 7.0)], 2)
    [(2, 2.0), (4, 6.0)]
    """
    known = list(points)
    size = math.ceil(len(known) / most)
    parts = [known[start : start + size] for start in range(0, len(known), max(1, size))]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in parts]
