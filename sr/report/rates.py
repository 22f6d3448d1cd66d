"""Best learning rate of each net in a sweep over `optimizer.lr`, such as `sweeps=tune`."""

import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from sr.report.net_facts import class_name
from sr.report.record import psnr_key
from sr.report.runs import Run
from sr.report.short_names import parts
from sr.report.table import Column, Row, Table

_DIVERGED = ("the loss became", "diverged", "not finite")
"""Words in the error of a training that diverged."""
RATE_COLUMNS = (
    Column("net", "net"),
    Column("scale", "scale", "g"),
    Column("set", "set"),
    Column("best_lr", "best rate", ".3g"),
    Column("psnr_db", "PSNR in dB", ".2f"),
    Column("bicubic_db", "bicubic", ".2f"),
    Column("rates", "all rates"),
    Column("remarks", "remarks"),
)


class _Trial(NamedTuple):
    lr: float
    psnr_db: float | None
    """None: it diverged, failed or is not finished."""
    state: str


def rates_table(runs: Sequence[Run]) -> Table:
    """Return the best rate of each net by the PSNR of the first set that its runs were scored on.

    Args:
        runs: Runs of a sweep over `optimizer.lr`, failed ones among them.

    Raises:
        ValueError: If no run has a learning rate.
    """
    nets: dict[str, list[Run]] = {}
    for run in runs:
        if isinstance((run.config.get("optimizer") or {}).get("lr"), int | float):
            key = [run.config.get("model"), run.config.get("scale"), run.config.get("seed")]
            nets.setdefault(json.dumps(key, sort_keys=True), []).append(run)
    if not nets:
        raise ValueError("no run here has an optimizer.lr; --rates is for the runs of sweeps=tune")
    return Table("Learning rates", RATE_COLUMNS, [_row(own) for own in nets.values()])


def refuse_diverged(table: Table) -> None:
    """Refuse a table in which all rates of a net diverged.

    Raises:
        ValueError: The message names each such net, its lowest rate, and the rates to try.
    """
    lost = [row for row in table.rows if row["all_diverged"]]
    if lost:
        advice = "; ".join(f"{row['net']}, the lowest {row['lowest']:g}" for row in lost)
        lowest = min(row["lowest"] for row in lost)
        raise ValueError(
            f"all rates diverged for {advice}: add lower ones, such as optimizer.lr={lowest / 10:g},{lowest / 3:.2g}"
        )


def _row(runs: Sequence[Run]) -> Row:
    trials = sorted(map(_trial, runs))
    scored = [trial for trial in trials if trial.psnr_db is not None]
    best = max(scored, key=lambda trial: trial.psnr_db or -math.inf, default=None)
    set_name, bicubic = next(filter(None, map(_bicubic, runs)), (None, None))
    remarks = []
    if best and len(trials) > 1 and best.lr in (trials[0].lr, trials[-1].lr):
        remarks.append("the best is at an end of the rates: add more on that side")
    if best and bicubic is not None and (best.psnr_db or 0) < bicubic:
        remarks.append("below bicubic: train longer, or add rates")
    return {
        "net": _name(runs[0]),
        "scale": runs[0].config.get("scale"),
        "set": set_name,
        "best_lr": best.lr if best else None,
        "psnr_db": best.psnr_db if best else None,
        "bicubic_db": bicubic,
        "rates": ", ".join(f"{trial.lr:g} {trial.state}" for trial in trials),
        "remarks": "; ".join(remarks) or None,
        "all_diverged": all(trial.state == "diverged" for trial in trials),
        "lowest": trials[0].lr,
    }


def _trial(run: Run) -> _Trial:
    lr = float(run.config["optimizer"]["lr"])
    score = next(iter((run.report.quality.get("float") or {}).values()), None) if run.report else None
    if score and (key := psnr_key(score)):
        found = float(score[key])
        return _Trial(lr, found, f"{found:.2f}") if not math.isnan(found) else _Trial(lr, None, "diverged")
    diverged = run.status == "failed" and any(word in run.error for word in _DIVERGED)
    return _Trial(lr, None, "diverged" if diverged else run.status)


def _bicubic(run: Run) -> tuple[str, float] | None:
    """Return the first set that a run was scored on, and bicubic's PSNR there."""
    sets: dict[str, dict[str, Any]] = run.report.quality.get("bicubic", {}) if run.report else {}
    for name, score in sets.items():
        if key := psnr_key(score):
            return name, float(score[key])
    return None


def _name(run: Run) -> str:
    """Return the preset of a run's net by the name of its folder, else its class."""
    preset = next((part for part in parts(run.name) if part.startswith("model_")), "")
    return preset.removeprefix("model_") or class_name(run.config.get("model"))
