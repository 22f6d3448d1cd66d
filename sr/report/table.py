"""The runs of an experiment as tables: scores (protocol, set and scale apart), cost and speed, what is unfinished."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sr.report.prediction import PREDICTED_HEADING, format_prediction_errors, prediction_of
from sr.report.record import SCORED_STAGES, Report, psnr_key, ssim_key
from sr.report.runs import Run
from sr.report.seeds import fold
from sr.report.short_names import short_name

Row = dict[str, Any]

CPU_RUNTIMES = {"torch": "torch", "onnxruntime": "ONNX Runtime"}
"""What a cost may hold a latency of, as `latency_<name>_cpu`: the float net, and the exported one."""

PERCEPTUAL = {key: key.upper() for key in ("niqe", "rmse", "lpips", "dists", "pi")}
PERCEPTUAL |= {"border_ratio": "blocks", "flicker": "flicker"}
"""Measures beyond PSNR and SSIM that a score may hold, and their headings; each stands behind its stage's PSNR."""


class Column(NamedTuple):
    """One column: the key of its values in a row, its heading, how a number is shown.

    On the screen the long texts of a `footnote` column stand under the table, and a row's value at `short`, if it has
    one, takes the place of that at `key`.
    """

    key: str
    heading: str
    format: str = ""
    footnote: bool = False
    short: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under columns; a row may lack a value, and a column that no row fills is not shown."""

    title: str
    columns: tuple[Column, ...]
    rows: list[Row]
    notes: list[str] = field(default_factory=list)

    def filled_columns(self) -> list[Column]:
        """Return the columns that at least one row fills."""
        return [column for column in self.columns if any(row.get(column.key) is not None for row in self.rows)]


RUN = Column("run", "run", short="short_run")
_NAMES = (Column("experiment", "experiment"), RUN, Column("num_seeds", "seeds", "d"))
AMOUNT = (
    Column("trainable_parameters", "params", ",d"),
    Column("frozen_parameters", "frozen", ",d"),
    Column("parameters", "all params", ",d"),
    Column("macs_g", "GMAC", ".1f"),
    Column("iterations", "iterations", ",d"),
    Column("budget", "budget", ".3g"),
)


def quality_tables(runs: Sequence[Run], *, fold_seeds: bool = False) -> list[Table]:
    """Make one table for each protocol, set and scale, so that only numbers that compare stand side by side.

    Args:
        runs: Runs in the order of their rows; those without a report are passed over.
        fold_seeds: Whether runs that differ only in `seed` become one row with mean and standard deviation.
    """
    reports = [run.report for run in runs if run.report]
    several = len({report.experiment for report in reports}) > 1
    rows: dict[tuple[str, float, str], list[Row]] = {}
    for report in reports:
        for (protocol, name), scores in _scores(report).items():
            row = _names(report, several) | scores | _amount(report)
            rows.setdefault((protocol, report.scale, name), []).append(row)
    return [
        Table(
            title=f"{name} x{scale:g}, protocol {protocol}: PSNR in dB",
            columns=(*_NAMES, *_score_columns(group), *AMOUNT),
            rows=fold(group) if fold_seeds else group,
            notes=_equal_images(reports, name),
        )
        for (protocol, scale, name), group in rows.items()
    ]


def speed_table(runs: Sequence[Run], *, fold_seeds: bool = False) -> Table:
    """Make the table of what the nets cost and how fast they were trained; measured on the machine of each run."""
    reports = [run.report for run in runs if run.report]
    several = len({report.experiment for report in reports}) > 1
    rows = [_names(report, several) | _speed(report) for report in reports]
    chips = dict.fromkeys(chip for report in reports for chip in estimates_ms(report))
    engines = {name: where for report in reports for name, (where, _) in engines_ms(report).items()}
    columns = (
        *_NAMES,
        *AMOUNT[:4],
        Column("activation_kib", "activations KiB", ",.0f"),
        Column("receptive_field_px", "field px", "d"),
        *(Column(f"latency_{runtime}_cpu_ms", f"{title} CPU ms", ".1f") for runtime, title in CPU_RUNTIMES.items()),
        *(Column(f"latency_{name}_ms", f"{name} {where} ms", ".3g") for name, where in engines.items()),
        *(Column(f"estimate_{chip}_ms", f"estimate {chip} ms", ".3g") for chip in chips),
        Column("predicted_ms", PREDICTED_HEADING, ".3g"),
        Column("precision", "precision"),
        Column("iterations_per_second", "it/s", ".1f"),
        Column("loader_wait_share", "loader wait", ".1%"),
        Column("seconds", "training s", ",.0f"),
        Column("total_seconds", "all stages s", ",.0f"),
    )
    return Table(
        title="Cost and speed",
        columns=columns,
        rows=fold(rows) if fold_seeds else rows,
        notes=format_prediction_errors(reports),
    )


def status_table(runs: Iterable[Run]) -> Table:
    """Make the table of the runs without a readable report: how far they are, and what went wrong."""
    rows = [
        {
            "experiment": run.experiment,
            **run_names(run.name, run.config),
            "status": run.status,
            "error": run.error or None,
        }
        for run in runs
        if run.status != "finished"
    ]
    return Table("Not finished", (*_NAMES[:2], Column("status", "status"), Column("error", "why")), rows)


def _names(report: Report, several_experiments: bool) -> Row:
    """Return the names of a row, and the key under which seeds fold."""
    names = {"experiment": report.experiment} if several_experiments else {}
    return names | run_names(report.run, report.config) | {"group": report.group}


def run_names(name: str, config: Mapping[str, Any]) -> Row:
    """Return a run's name and a short one."""
    return {"run": name, "short_run": short_name(name, config.get("init"))}


def _amount(report: Report) -> Row:
    """Return the size of the net and the length of its training."""
    found = report.training | report.cost | parameter_counts(report)
    return {column.key: found.get(column.key) for column in AMOUNT}


def parameter_counts(report: Report) -> Row:
    """Return the counts of trainable and of frozen parameters; of a report that does not tell them apart, their sum."""
    total, trainable = (report.cost.get(key) for key in ("parameters", "trainable_parameters"))
    if not isinstance(total, int) or not isinstance(trainable, int):
        return {"parameters": total}
    return {"trainable_parameters": trainable, "frozen_parameters": total - trainable or None, "parameters": None}


def estimates_ms(report: Report) -> dict[str, float]:
    """Return the compiler's estimates of the time for an image, {chip: ms}; none is measured on a phone."""
    compiled = report.export.get("hexagon")
    found = compiled.get("estimates") if isinstance(compiled, dict) else None
    return {row["chip"]: row["estimate_us"] / 1000 for row in found or [] if "estimate_us" in row}


def engines_ms(report: Report) -> dict[str, tuple[str, float]]:
    """Return the measured times of further engines that ran the export: {engine: ("CPU" or "phone", ms)}."""
    phones = report.export.get("phones") or ()
    found = {row["name"]: ("phone", float(row["latency_ms"]["median"])) for row in phones if row["latency_ms"]}
    for name, facts in (report.export.get("engines") or {}).items():
        if "latency" in facts:
            found[name] = "CPU", facts["latency"]["median_ms"]
        elif "latency_ms" in facts:
            found[name] = "phone", facts["latency_ms"]
    return found


def _speed(report: Report) -> Row:
    """Return figures of the net and its training, the median latency, and the wall time of all stages."""
    latencies = {runtime: report.cost.get(f"latency_{runtime}_cpu") for runtime in CPU_RUNTIMES}
    return {
        **report.training,
        **report.cost,
        **parameter_counts(report),
        **{
            f"latency_{runtime}_cpu_ms": each.get("median_ms") if isinstance(each, dict) else each
            for runtime, each in latencies.items()
        },
        "total_seconds": sum(report.stage_seconds.values()) if report.stage_seconds else None,
        **{f"latency_{name}_ms": ms for name, (_, ms) in engines_ms(report).items()},
        **{f"estimate_{chip}_ms": ms for chip, ms in estimates_ms(report).items()},
        "predicted_ms": getattr(prediction_of(report), "predicted_ms", None),
    }


def _scores(report: Report) -> dict[tuple[str, str], Row]:
    """Return the scores of a run for each protocol and set: {stage}_{psnr key}, the float net's SSIM, the drop."""
    found: dict[tuple[str, str], Row] = {}
    for stage, sets in report.quality.items():
        for name, score in sets.items():
            row = found.setdefault((str(score["protocol"]), name), {})
            for key in (psnr_key(score), ssim_key(score), *(key for key in PERCEPTUAL if key in score)):
                if key:
                    row[f"{stage}_{key}"] = float(score[key])
    for row in found.values():
        before, after = _key_of(row, "float"), _key_of(row, "simulated")
        if before and after:
            same = row[after] == row[before]  # also where both are infinite
            row["simulated_minus_float_db"] = 0.0 if same else row[after] - row[before]
    return found


def _equal_images(reports: Sequence[Report], name: str) -> list[str]:
    """Return a note that names the images whose infinite PSNR makes the mean of a set infinite."""
    equal = dict.fromkeys(
        image["name"]
        for report in reports
        for sets in report.quality.values()
        if name in sets and (key := psnr_key(sets[name]))
        for image in sets[name].get("per_image", ())
        if float(image.get(key, 0)) == math.inf
    )
    if not equal:
        return []
    shown = ", ".join(list(equal)[:5]) + (f" and {len(equal) - 5} more" if len(equal) > 5 else "")
    return [f"The output for {shown} equals the reference (a flat image?), so the set's mean PSNR is infinite."]


def _key_of(row: Row, stage: str) -> str:
    """Return the key of a stage's PSNR in a row of scores; empty if it has none."""
    return next((key for key in row if key.startswith(f"{stage}_psnr_")), "")


def _score_columns(rows: Sequence[Row]) -> list[Column]:
    """Columns of the PSNR of every stage in the rows, in the order of `STAGES`, each float net with its SSIM."""
    keys = list(dict.fromkeys(key for row in rows for key in row if "_psnr_" in key))
    stages = {key.split("_psnr_")[0]: key for key in keys}
    ordered = [stage for stage in SCORED_STAGES if stage in stages] + [
        stage for stage in stages if stage not in SCORED_STAGES
    ]
    columns = []
    for stage in ordered:
        columns.append(Column(stages[stage], stage.replace("_", " "), ".2f"))
        if stage == "float":
            channel = stages[stage].removeprefix("float_psnr_").removesuffix("_db")
            columns.append(Column(f"float_ssim_{channel}", "SSIM", ".4f"))
        if stage == "simulated":
            columns.append(Column("simulated_minus_float_db", "- float", "+z.2f"))
        columns += [Column(f"{stage}_{key}", title, ".3f") for key, title in PERCEPTUAL.items()]
    return columns
