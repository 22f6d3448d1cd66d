"""Jobs a minute of a tiny sweep under several launchers, each as the command that a user types."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sr.bench.measurement import Measurement, format_machine
from sr.bench.setting import composed, describe_setting, format_setting
from sr.report.table import Column, Table

LAUNCHERS = ("basic", "joblib", "ray", "slurm")
TINY = ("callbacks=train_only", "logger=none", "train.validate_every=1000000", "train.checkpoint_every=1000000")
"""What keeps a job short beside its training; more can be given on the command line."""


def measure_sweep(*, overrides: Sequence[str], launcher: str, num_jobs: int, iterations: int) -> Measurement:
    """Run the same sweep by each launcher, one after another, and count its jobs a minute.

    A job is a training with a seed of its own, on one thread; nothing is reused between launchers.

    Args:
        overrides: As for sr.run, also `launcher.cpus=1`.
        launcher: Names of launchers, separated by commas.
        num_jobs: Jobs of the sweep.
        iterations: Of each training.

    Raises:
        ValueError: An unknown launcher, or a sweep that failed.
    """
    names = [name.strip() for name in launcher.split(",")]
    if unknown := [name for name in names if name not in LAUNCHERS]:
        raise ValueError(f"--launcher is a list of {', '.join(LAUNCHERS)}, got {', '.join(unknown)}")
    training = [f"train.iterations={iterations}", *TINY, *(each for each in overrides if "launcher" not in each)]
    with composed(training) as (config, _):
        setting = {**describe_setting(config), "num_jobs": num_jobs, "iterations": iterations}
    rows = []
    for name in names:
        of_launcher = [each for each in overrides if each.startswith("launcher.") and name != "basic"]
        rows.append(timed_sweep(name, [*training, *of_launcher], num_jobs))
    slowest = next((row for row in rows if row["launcher"] == "basic"), rows[0])
    for row in rows:
        row["ratio"] = row["jobs_per_minute"] / slowest["jobs_per_minute"]
    return Measurement(setting=setting, figures={"launchers": rows}, tables=[_table(rows, setting, slowest)])


def timed_sweep(launcher: str, overrides: Sequence[str], num_jobs: int) -> dict[str, Any]:
    """Run a sweep over seeds in an empty outputs folder; returns its wall time, CPU time and load.

    Args:
        launcher: Of the sweep.
        overrides: Of each job.
        num_jobs: Number of seeds.

    Raises:
        ValueError: The sweep failed, with its last words.
    """
    seeds = ",".join(map(str, range(num_jobs)))
    with tempfile.TemporaryDirectory(prefix="sr-bench-") as outputs:
        command = [sys.executable, "-m", "sr.run", "-m", *overrides, f"launcher={launcher}", f"seed={seeds}"]
        environment = {**os.environ, "SR_OUTPUTS": outputs, "OMP_NUM_THREADS": "1"}
        load, started, cpu = _load(), time.perf_counter(), _cpu_seconds()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        seconds = time.perf_counter() - started
        finished = len([*Path(outputs).glob("*/*/report.json")])
    if done.returncode or finished != num_jobs:
        words = " ".join(done.stderr.split())[-400:]
        raise ValueError(f"launcher={launcher}: {finished} of {num_jobs} jobs finished; its output ends: {words}")
    return {
        "launcher": launcher,
        "jobs_per_minute": 60 * num_jobs / seconds,
        "seconds": seconds,
        "cpu_seconds": _cpu_seconds() - cpu,
        "load_before": load,
        "load_after": _load(),
    }


def _cpu_seconds() -> float:
    """Return the CPU time of the ended children: of Ray's and SLURM's workers it is not known."""
    times = os.times()
    return times.children_user + times.children_system


def _load() -> float | None:
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _table(rows: list[dict[str, Any]], setting: dict[str, Any], slowest: dict[str, Any]) -> Table:
    columns = (
        Column("launcher", "launcher"),
        Column("jobs_per_minute", "jobs a minute", ".2f"),
        Column("ratio", f"of {slowest['launcher']}'s", ".2f"),
        Column("seconds", "seconds", ".0f"),
        Column("cpu_seconds", "CPU s of its processes", ".0f"),
        Column("load_before", "load before", ".1f"),
        Column("load_after", "load after", ".1f"),
    )
    notes = [
        format_setting(setting),
        format_machine(),
        "Starting Python and Ray is included; load is that of 1 minute.",
    ]
    return Table(title="Sweep by launchers", columns=columns, rows=rows, notes=notes)
