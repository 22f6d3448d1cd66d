"""Points of quality against sparsity from the pruning rounds of a run's report."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from sr.dashboard.axes import is_number
from sr.dashboard.rows import family
from sr.report.record import psnr_key
from sr.report.runs import Run


def rounds(run: Run, label: str) -> list[dict[str, Any]]:
    """Return the rounds of a pruned run: every mapping in its report with a `sparsity` (a share) and a PSNR.

    Returns:
        [{"id", "label", "family", "sparsity", "quality", "metric"}], by growing sparsity; empty for a dense run. Rounds
        with an infinite PSNR, which no axis can show, are left out.
    """
    if not run.report:
        return []
    report = run.report
    found = [*_with_sparsity([report.training, report.cost, report.data, report.export])]
    name = {"id": f"{run.experiment}/{run.name}", "label": label, "family": family(report.config)}
    points = [
        {**name, "sparsity": float(each["sparsity"]), "quality": float(each[key]), "metric": key}
        for each in found
        if (key := psnr_key(each)) and is_number(each[key]) and math.isfinite(float(each[key]))
    ]
    return sorted(points, key=lambda point: point["sparsity"])


def _with_sparsity(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield all mappings inside plain containers that have a sparsity."""
    if isinstance(value, Mapping):
        if is_number(value.get("sparsity")):
            yield value
        for item in value.values():
            yield from _with_sparsity(item)
    elif isinstance(value, list):
        for item in value:
            yield from _with_sparsity(item)
