"""Runs as flat rows for tables and charts: protocol, set and scale apart, as numbers compare within one only."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sr.dashboard.axes import Metric, costs, is_number, metrics_of, row_key
from sr.dashboard.reference_points import reference_points
from sr.report.net_facts import class_name, quantized_precision
from sr.report.record import Report
from sr.report.run_labels import label_without_seed, labels
from sr.report.runs import Run
from sr.report.seeds import Spread, fold
from sr.report.table import Row

UNTRAINED = ("bicubic", "nearest", "fsr1", "interpolation")
"""Classes of nets that learn nothing: they are drawn in grey."""

MOST_BESIDE_BICUBIC = 3
"""Nets beside which bicubic is drawn as a line."""

TRAINING_KEYS = ("iterations", "iterations_per_second", "loader_wait_share", "seconds", "budget", "sparsity")


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Runs that may stand in one chart: of one protocol, one test set, one scale.

    Attributes:
        protocol: name of the evaluation protocol.
        set: test set.
        scale: upscaling factor.
        metrics: what was scored.
        rows: a row for each run.
        folded: a row for each group of runs that differ only in their seed.
        reference_points: published points of this case, as `reference_points` makes them.
        bicubic: scores of bicubic, {metric: value}; empty if no run has them.
    """

    protocol: str
    set: str
    scale: float
    metrics: list[Metric]
    rows: list[Row]
    folded: list[Row] = field(default_factory=list)
    reference_points: list[Row] = field(default_factory=list)
    bicubic: dict[str, float] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Return a short name that is the same in every page."""
        return f"{self.set}-x{self.scale:g}-{self.protocol}"


def slices(runs: Sequence[Run]) -> list[Slice]:
    """Lay out the finished runs, one slice for each protocol, set and scale, in the order of their appearance."""
    short = labels(runs)
    found: dict[tuple[str, str, float], list[tuple[Report, dict[str, dict[str, Any]]]]] = {}
    for report in (run.report for run in runs if run.report):
        for key, stages in _by_case(report).items():
            found.setdefault((*key, report.scale), []).append((report, stages))
    return [_slice(*key, members, short) for key, members in found.items()]


def _by_case(report: Report) -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    """Return the scores of a run as {(protocol, set): {stage: score}}."""
    found: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for stage, sets in report.quality.items():
        for name, score in sets.items():
            own = {row_key(key): value for key, value in score.items()}
            found.setdefault((str(score["protocol"]), name), {})[row_key(stage)] = own
    return found


def _slice(
    protocol: str,
    set_name: str,
    scale: float,
    members: Sequence[tuple[Report, dict[str, dict[str, Any]]]],
    short: dict[str, str],
) -> Slice:
    """Make one slice of the runs that were scored so."""
    metrics = metrics_of(score for _, stages in members for score in stages.values())
    rows = [_row(report, stages, metrics, short) for report, stages in members]
    bicubic = next((stages["bicubic"] for _, stages in members if "bicubic" in stages), {})
    return Slice(
        protocol=protocol,
        set=set_name,
        scale=scale,
        metrics=metrics,
        rows=rows,
        folded=_folded(rows),
        reference_points=reference_points(protocol, set_name, scale),
        bicubic={metric.key: float(bicubic[metric.key]) for metric in metrics if metric.key in bicubic},
    )


def _row(report: Report, stages: dict[str, dict[str, Any]], metrics: Sequence[Metric], short: dict[str, str]) -> Row:
    """Return the row of a run: names, `<stage>_<metric>` of every stage, drop by quantization, costs."""
    row: Row = _names(report, short) | costs(report)
    if row["family"] != "baseline":
        row |= {key: float(report.training[key]) for key in TRAINING_KEYS if is_number(report.training.get(key))}
    for stage, score in stages.items():
        row |= {f"{stage}_{metric.key}": float(score[metric.key]) for metric in metrics if metric.key in score}
    for metric in metrics:
        before, after = (row.get(f"{stage}_{metric.key}") for stage in ("float", "simulated"))
        if before is not None and after is not None:
            row[f"drop_{metric.key}"] = before - after if metric.higher_is_better else after - before
    # A picture that equals its HR has an infinite PSNR, which no axis can show.
    return {key: value for key, value in row.items() if not isinstance(value, float) or math.isfinite(value)}


def _names(report: Report, short: dict[str, str]) -> Row:
    """Return the names of a run and of its experiment, group, family and scheme."""
    key = f"{report.experiment}/{report.run}"
    return {
        "id": key,
        "group": hashlib.sha256(report.group.encode()).hexdigest()[:12],
        "experiment": report.experiment,
        "run": report.run,
        "label": short[key],
        "family": family(report.config),
        "precision": quantized_precision(report).upper() if "simulated" in report.quality else None,
        "scheme": (report.config.get("quantization") or {}).get("name") if "simulated" in report.quality else None,
    }


def family(config: dict[str, Any]) -> str:
    """Return the class of a run's net; "baseline" for one without training, "unknown" if the config lacks it."""
    return family_of(class_name(config.get("model")))


def family_of(net: str) -> str:
    """Return the same for the class of a net, "" if it is not known."""
    return "baseline" if net in UNTRAINED else net or "unknown"


def families(runs: Iterable[Run]) -> list[str]:
    """Return all families, baselines last, so that each has one colour in every chart of a page."""
    found = {family(run.report.config if run.report else run.config) for run in runs}
    return sorted(found, key=lambda name: (name in ("baseline", "unknown"), name))


def _folded(rows: Sequence[Row]) -> list[Row]:
    """Return a row for each group, with each mean under its key and its deviation under `<key>_std`."""
    members: dict[str, list[Row]] = {}
    for row in rows:
        members.setdefault(row["group"], []).append(row)
    return [_spread_out(row, members[row["group"]]) for row in fold(rows)]


def _spread_out(row: Row, members: Sequence[Row]) -> Row:
    """Return one folded row with the runs that it was made of."""
    plain: Row = {}
    for key, value in row.items():
        plain[key] = value.mean if isinstance(value, Spread) else value
        if isinstance(value, Spread):
            plain[f"{key}_std"] = value.std
    first = members[0]
    names = {"id": first["id"], "members": [member["id"] for member in members]}
    return plain | names | {"label": label_without_seed(first["label"]) if len(members) > 1 else first["label"]}


def bicubic_lines(each: Slice) -> dict[str, list[Row]]:
    """Return the line of bicubic by metric; beside many nets it would take the room that tells them apart."""
    found: dict[str, list[Row]] = {}
    for metric in each.metrics:
        value = each.bicubic.get(metric.key)
        shown = value is not None and math.isfinite(value) and len(each.folded) <= MOST_BESIDE_BICUBIC
        unit = " dB" if "(dB)" in metric.label else ""
        line = {"quality": value, "label": f"bicubic {value:.{metric.decimals}f}{unit}"} if shown else None
        found[metric.key] = [line] if line else []
    return found
