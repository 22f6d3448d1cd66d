"""Latency per image: published measurements beside our compiler estimates and predictions.

The compiler gives estimates for no phone, so the two columns are of different hardware and no difference is taken.
"""

from collections.abc import Iterable, Iterator, Sequence

from sr.report.comparison import remarks, same_net
from sr.report.net_facts import lr_height, net_of, quantized_precision
from sr.report.prediction import PREDICTED_HEADING, UNSTATED, format_prediction_errors, prediction_of
from sr.report.published import Published
from sr.report.record import Report
from sr.report.runs import Run
from sr.report.table import RUN, Column, Row, Table, engines_ms, estimates_ms, run_names

LATENCY_COLUMNS = (
    Column("experiment", "experiment"),
    RUN,
    Column("lr_height", "our LR rows", "d"),
    Column("predicted_ms", PREDICTED_HEADING, ".3g"),
    Column("published_ms", "published ms", ".3g"),
    Column("device", "on"),
    Column("published_lr_height", "their LR rows", "d"),
    Column("source", "source"),
    Column("table", "table"),
    Column("label", "net there"),
    Column("remarks", "remarks", footnote=True),
)


def latency_table(runs: Sequence[Run], values: Iterable[Published]) -> Table:
    """Set what is estimated and predicted for the finished runs beside the published latencies of the same nets.

    A run for which no source has a latency stands alone if its time can be predicted.

    Args:
        runs: Runs; those of which neither the compiler nor the predictor says something are passed over.
        values: Published values, as from `published()`; those of batches are passed over.
    """
    reports = [run.report for run in runs if run.report and _has_time(run.report)]
    several = len({report.experiment for report in reports}) > 1
    latencies = [value for value in values if value.quantity == "latency_ms" and "batch_size" not in value.conditions]
    rows = [row for report in reports for row in _rows(report, latencies)]
    chips = dict.fromkeys(chip for report in reports for chip in estimates_ms(report))
    estimates = [Column(f"estimate_{chip}_ms", f"estimate {chip} ms", ".3g") for chip in chips]
    phones = dict.fromkeys(name for report in reports for name in _phones_ms(report))
    measured = [Column(f"{name}_ms", f"{name} ms, measured", ".3g") for name in phones]
    return Table(
        title="Latency, compiler's estimate and prediction (ours) | measured on a device (published)",
        columns=(*LATENCY_COLUMNS[0 if several else 1 : 3], *estimates, *measured, *LATENCY_COLUMNS[3:]),
        rows=rows,
        notes=[
            "Estimates of the accelerator alone, for chips that are in no phone: compare their order, not their size.",
            *format_prediction_errors(reports),
        ],
    )


def _has_time(report: Report) -> bool:
    """Return whether there is an estimate, a prediction or a phone's time."""
    return bool(estimates_ms(report) or prediction_of(report) or _phones_ms(report))


def _phones_ms(report: Report) -> dict[str, float]:
    """Return the median times of phones, by the name of the certificate's form."""
    return {name: ms for name, (where, ms) in engines_ms(report).items() if where == "phone"}


def _same_case(report: Report, value: Published) -> bool:
    """Return whether a published latency is of this net, scale, precision and, if stated, image height."""
    scale, height = value.scale or UNSTATED["scale"], value.conditions.get("lr_height")
    net = net_of(report, "simulated", quantized_precision(report))
    return same_net(value, net, report.scale) and scale == report.scale and height in (None, lr_height(report))


def _rows(report: Report, latencies: Sequence[Published]) -> Iterator[Row]:
    """Yield a row for each published latency of a run's net, or one with its prediction alone."""
    own = _own(report)
    theirs = [own | _theirs(report, value) for value in latencies if _same_case(report, value)]
    yield from theirs or ([own] if own["predicted_ms"] is not None or _phones_ms(report) else [])


def _own(report: Report) -> Row:
    """Return the columns of a run's own estimates and prediction."""
    made = prediction_of(report)
    return {
        "experiment": report.experiment,
        **run_names(report.run, report.config),
        "lr_height": lr_height(report),
        **{f"estimate_{chip}_ms": ms for chip, ms in estimates_ms(report).items()},
        **{f"{name}_ms": ms for name, ms in _phones_ms(report).items()},
        "predicted_ms": made.predicted_ms if made else None,
    }


def _theirs(report: Report, value: Published) -> Row:
    """Return the columns of a published latency."""
    return {
        "published_ms": value.value,
        "device": value.conditions.get("device"),
        "published_lr_height": value.conditions.get("lr_height"),
        "source": value.source,
        "table": value.table,
        "label": value.label,
        "remarks": remarks(value, net_of(report, "simulated", quantized_precision(report))),
    }
