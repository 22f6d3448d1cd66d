"""Content of the page as plain containers: made from run folders, written into the page as JSON."""

import functools
import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sr.dashboard import charts, more_charts, theme
from sr.dashboard.axes import PREDICTED, axes_of, costs
from sr.dashboard.curves import MAX_POINTS, curves
from sr.dashboard.proof_sentence import proof_sentence
from sr.dashboard.rounds import rounds
from sr.dashboard.rows import Slice, bicubic_lines, families, family, family_of, slices
from sr.report.comparison import comparison_tables
from sr.report.latency_table import latency_table
from sr.report.prediction import format_prediction_error, prediction_of
from sr.report.published import published
from sr.report.record import plain_values
from sr.report.render import cell
from sr.report.run_labels import label_without_seed, labels, run_id
from sr.report.runs import MAX_KEPT, Run
from sr.report.seeds import without_seed
from sr.report.table import Table
from sr.runs.files import stamp

CHARTS = {
    "quality_latency": charts.quality_latency,
    "drops": more_charts.drops,
    "training_curves": more_charts.training_curves,
    "sparsity": more_charts.sparsity,
    "beside_published": more_charts.beside_published,
    "stage_times": more_charts.stage_times,
    "layer_noise": more_charts.layer_noise,
    "layer_ranges": more_charts.layer_ranges,
}
EXTRA_RESULTS = ("sensitivity", "pruning", "ranges", "blocks")
"""Words in the names of result files whose content a run's own page shows beside its report."""
MOST_EXTRA_BYTES = 400_000
MOST_POINTS_OF_ALL, FEWEST_POINTS = 40_000, 30
"""Points of a curve that all runs have together, at most, and those of one run, at least."""


def content(runs: Sequence[Run], places: Iterable[Path]) -> dict[str, Any]:
    """Put together everything but the pictures.

    Args:
        runs: as `find_runs` gives them, in any state.
        places: where they were looked for, for the page's title.

    Returns:
        {"title", "made", "families", "looks", "charts", "axes", "axis_notes", "slices", "runs", "tables", "pairs",
        "rounds"}; all numbers finite.
    """
    kinds, short = families(runs), labels(runs)
    found = slices(runs)
    compared = comparison_tables(runs, published(), fold_seeds=True)
    most = max(FEWEST_POINTS, min(MAX_POINTS, MOST_POINTS_OF_ALL // max(1, len(runs))))
    made = {
        "title": ", ".join(dict.fromkeys(run.experiment for run in runs)) or ", ".join(p.name for p in places),
        "made": time.strftime("%Y-%m-%d %H:%M"),
        "families": kinds,
        "looks": {look: {"blanks": theme.blanks(kinds, look), "config": theme.config(look)} for look in LOOKS},
        "charts": {name: make() for name, make in CHARTS.items()},
        "axes": [axis._asdict() for axis in axes_of([costs(run.report) for run in runs if run.report])],
        "axis_notes": _axis_notes(runs),
        "slices": [_slice(each) for each in found],
        "runs": [_run(run, short, most) for run in runs],
        "tables": [_table(table) for table in (*compared, latency_table(runs, published())) if table.rows],
        "pairs": _pairs(compared, runs, short),
        "rounds": [each for run in runs for each in rounds(run, short[run_id(run)])],
    }
    return rounded(made)


def _axis_notes(runs: Sequence[Run]) -> dict[str, str]:
    """Return notes that must stand beside a cost, by its key."""
    made = next((found for run in runs if run.report and (found := prediction_of(run.report))), None)
    return {PREDICTED: format_prediction_error(made)} if made else {}


LOOKS: tuple[theme.Look, ...] = ("light", "dark")


def _slice(each: Slice) -> dict[str, Any]:
    """Return a slice as plain containers."""
    return {
        "id": each.id,
        "title": f"{each.set} x{each.scale:g}",
        "protocol": each.protocol,
        "set": each.set,
        "scale": each.scale,
        "metrics": [metric._asdict() for metric in each.metrics],
        "rows": each.rows,
        "folded": each.folded,
        "reference_points": each.reference_points,
        "bicubic": each.bicubic,
        "bicubic_lines": bicubic_lines(each),
    }


def _run(run: Run, short: Mapping[str, str], most: int) -> dict[str, Any]:
    """Return a run with what its own page shows."""
    report = run.report
    config = report.config if report else run.config
    shown: dict[str, Any] = {
        "id": run_id(run),
        "experiment": run.experiment,
        "run": run.name,
        "label": short[run_id(run)],
        "family": family(config),
        "status": run.status,
        "error": run.error,
        "config": dict(_flat(config)),
        "curves": curves(run.folder, most),
        "protocol": config.get("protocol"),
        "scale": config.get("scale"),
    }
    if report:
        shown |= {
            name: getattr(report, name)
            for name in ("git", "versions", "data", "training", "cost", "export", "stage_seconds")
        }
        shown |= {
            "proved": proof_sentence(report),
            "per_image": _per_image(report.quality),
            "extra": _extra_results(run.folder),
        }
    return shown


def _flat(node: Any, path: str = "") -> Iterable[tuple[str, Any]]:
    """Yield a config as dotted keys and values."""
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from _flat(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, (list, tuple)):
        yield (
            path,
            ", ".join(str(item) for item in node) if not any(map(_nested, node)) else json.dumps(node, default=str),
        )
    else:
        yield path, node


def _nested(value: Any) -> bool:
    return isinstance(value, (Mapping, list, tuple))


def _per_image(quality: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scores of single images: {set: {"images": names, "<stage>_<metric>": values}}."""
    found: dict[str, Any] = {}
    for stage, sets in quality.items():
        for name, score in sets.items():
            images = score.get("per_image")
            if not isinstance(images, list) or not all(isinstance(image, Mapping) for image in images):
                continue
            columns = found.setdefault(name, {"images": [str(image.get("name")) for image in images]})
            for key in dict.fromkeys(key for image in images for key in image if key != "name"):
                columns[f"{stage}_{key}"] = [image.get(key) for image in images]
    return found


def _extra_results(folder: Path) -> dict[str, Any]:
    """Return further results in a run's folder, by the names of their files."""
    found = {}
    for path in sorted({*folder.glob("*.json"), *folder.glob("*/*.json")}):
        if not any(word in path.stem for word in EXTRA_RESULTS) or path.stat().st_size > MOST_EXTRA_BYTES:
            continue
        try:
            found[path.relative_to(folder).as_posix()] = _parsed(path, stamp(path))
        except (OSError, ValueError, RecursionError):
            continue
    return found


@functools.lru_cache(maxsize=MAX_KEPT)
def _parsed(path: Path, _: object) -> Any:
    """Read a JSON file, once for each stamp of it."""
    return json.loads(path.read_text(encoding="utf-8"))


def _table(table: Table) -> dict[str, Any]:
    """Return a table of `sr.report` as texts, with the columns that hold numbers."""
    columns = table.filled_columns()
    return {
        "title": table.title,
        "columns": [{"heading": column.heading, "number": bool(column.format)} for column in columns],
        "rows": [[cell(row.get(column.key), column) for column in columns] for row in table.rows],
        "notes": table.notes,
    }


def _pairs(tables: Sequence[Table], runs: Sequence[Run], short: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return our and the published scores as finite numbers for a chart, with the title of their table."""
    named = {(run.experiment, without_seed(run.name)): label_without_seed(short[run_id(run)]) for run in runs}
    named |= {(run.experiment, run.name): short[run_id(run)] for run in runs}
    pairs = []
    for table in tables:
        for row in table.rows:
            ours = getattr(row.get("ours"), "mean", row.get("ours"))
            if ours is None or not math.isfinite(ours):
                continue
            name = named.get((row.get("experiment", ""), row.get("run", "")), "bicubic")
            pairs.append(
                {
                    "table_title": table.title,
                    "family": family_of(row["net"]),
                    "name": f"{name} {str(row.get('precision') or '').upper()}".strip(),
                    "ours": ours,
                    "published": row["published"],
                    "difference": ours - row["published"],
                    **{key: row.get(key) for key in ("source", "table", "remarks", "published_iterations")},
                    "iterations": getattr(row.get("iterations"), "mean", row.get("iterations")),
                }
            )
    return pairs


def rounded(value: Any, path: str = "page") -> Any:
    """Return plain values as JSON can hold them, with numbers of six digits, which is more than a chart can show.

    Raises:
        ValueError: as `plain` does.
    """
    if value is None or isinstance(value, (str, int)):
        return value
    if type(value) is float and math.isfinite(value):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {str(key): rounded(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item, f"{path}[]") for item in value]
    return plain_values(value, path)
