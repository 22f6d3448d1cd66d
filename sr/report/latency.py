"""Time for an image on a phone: what sources measured beside what the compiler estimates for our nets.

The compiler gives estimates for no phone, so the two columns are of different hardware and no difference is taken.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import Any

from sr.report.comparison import bits, class_name, net_of, remarks, same_net
from sr.report.prediction import Prediction, plain_net, predict
from sr.report.published import Published
from sr.report.record import Report
from sr.report.runs import Run
from sr.report.table import Column, Row, Table, estimates_ms

COLUMNS = (
    Column("run", "run"),
    Column("lr_height", "our LR rows", "d"),
    Column("predicted_ms", "predicted ms, Snapdragon 8 Gen 1", ".3g"),
    Column("published_ms", "published ms", ".3g"),
    Column("device", "on"),
    Column("published_lr_height", "their LR rows", "d"),
    Column("source", "source"),
    Column("table", "table"),
    Column("label", "net there"),
    Column("remarks", "remarks", footnote=True),
)


def latency_table(runs: Sequence[Run], values: Iterable[Published]) -> Table:
    """Set the compiler's estimates of the finished runs beside the published latencies of the same nets.

    Args:
        runs: Runs; those without estimates are passed over.
        values: Published values, as from `published()`; those of batches are passed over.
    """
    reports = [run.report for run in runs if run.report and estimates_ms(run.report)]
    latencies = [value for value in values if value.quantity == "latency_ms" and "batch_size" not in value.conditions]
    rows = [_row(report, value) for report in reports for value in latencies if _same_case(report, value)]
    chips = dict.fromkeys(chip for report in reports for chip in estimates_ms(report))
    estimates = [Column(f"estimate_{chip}_ms", f"estimate {chip} ms", ".3g") for chip in chips]
    return Table(
        title="Latency, compiler's estimate (ours) | measured on a device (published)",
        columns=(*COLUMNS[:2], *estimates, *COLUMNS[2:]),
        rows=rows,
        notes=[
            "Estimates of the accelerator alone, for chips that are in no phone: compare their order, not their size.",
            *sorted({said(made) for report in reports if (made := prediction_of(report))}),
        ],
    )


def _same_case(report: Report, value: Published) -> bool:
    """Whether a published latency is of this net, precision and image height, as far as the source states them."""
    height = value.conditions.get("lr_height")
    net = net_of(report, "simulated", bits(report))
    return same_net(value, net, report.scale) and height in (None, lr_height(report))


def prediction_of(report: Report) -> Prediction | None:
    """The time that is predicted for a run's net at its size; None for nets that the fit says nothing of."""
    model = report.config.get("model") or {}
    height, width = lr_height(report), _lr_width(report)
    if height is None or width is None or bits(report) != "int8":
        return None
    net = plain_net(model | {"scale": report.scale}, class_name(model), (height, width))
    return predict(net) if net else None


def said(made: Prediction) -> str:
    """What a prediction is worth, in words."""
    mean, largest = 100 * made.mean_error_share, 100 * made.largest_error_share
    return (
        f"Predicted: off by {mean:.0f} % on average, {largest:.0f} % at most, on left-out points of {made.fitted_on}."
    )


def _row(report: Report, value: Published) -> Row:
    """One run beside one published latency."""
    return {
        "run": report.run,
        "lr_height": lr_height(report),
        **{f"estimate_{chip}_ms": ms for chip, ms in estimates_ms(report).items()},
        "predicted_ms": made.predicted_ms if (made := prediction_of(report)) else None,
        "published_ms": value.value,
        "device": value.conditions.get("device"),
        "published_lr_height": value.conditions.get("lr_height"),
        "source": value.source,
        "table": value.table,
        "label": value.label,
        "remarks": remarks(value, net_of(report, "simulated", bits(report))),
    }


def lr_height(report: Report) -> int | None:
    """Rows of the LR image that a run was compiled for, from its export's `size`: 540 for "1080p" at x2, "540x960"."""
    size = str(_inside(report.config, "export", "size") or "")
    if found := re.fullmatch(r"(\d+)x\d+", size):
        return int(found[1])
    found = re.fullmatch(r"(\d+)p", size)
    return ceil(int(found[1]) / report.scale) if found else None


def _lr_width(report: Report) -> int | None:
    """Columns of that image; the targets are 16:9."""
    size = str(_inside(report.config, "export", "size") or "")
    if found := re.fullmatch(r"\d+x(\d+)", size):
        return int(found[1])
    found = re.fullmatch(r"(\d+)p", size)
    return ceil(int(found[1]) * 16 / 9 / report.scale) if found else None


def _inside(content: Mapping[str, Any], *keys: str) -> Any:
    """A value inside nested mappings; None if any level lacks it."""
    value: Any = content
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
