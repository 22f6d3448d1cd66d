"""Compare the wall time of a sweep over schemes with one training and the schemes' own stages.

`python tests/end_to_end/sweep_time.py` trains QuickSRNet-S for 2000 iterations and quantizes it by the six schemes of
table 4, in a fresh folder. Settings behind the command replace others, as in `... train.iterations=200 data=photos`.
A sweep that trained once for each scheme would need about as many times the training. Ctrl-C ends the sweep; what is
finished by then is compared. Exit status 1: the sweep took more than `LIMIT` times the sum.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sr.report.record import read_report
from sr.runs.results import results_in

ROOT = Path(__file__).resolve().parents[2]
SWEEP = ("sweeps=quicksrnet_table4", "model=quicksrnet_small", "train.iterations=2000", "machine.threads=1")
LIMIT = 1.3


class SweepTime(NamedTuple):
    """Seconds of a sweep.

    Attributes:
        wall: From the start of the command to the last report.
        training: Of the runs that trained; the loop alone, without setup.
        stages: {run: {result file: seconds}} of what each run made itself.
    """

    wall: float
    training: list[float]
    stages: dict[str, dict[str, float]]

    @property
    def parts(self) -> float:
        """Return the seconds of all trainings and stages."""
        return sum(self.training) + sum(sum(each.values()) for each in self.stages.values())

    @property
    def ratio(self) -> float:
        """Return wall time over the sum of the parts."""
        return self.wall / self.parts


def timed_sweep(outputs: Path, settings: Sequence[str]) -> SweepTime:
    """Run a sweep and add up what its runs made themselves.

    Args:
        outputs: Fresh folder for the runs and the index of their results.
        settings: Settings behind those of `SWEEP`; of two with one key the later wins.

    Raises:
        SystemExit: The sweep failed.
    """
    chosen = dict(item.split("=", 1) for item in (*SWEEP, f"hydra.sweep.dir={outputs}", *settings))
    command = [sys.executable, "-m", "sr.run", "--multirun", *(f"{key}={value}" for key, value in chosen.items())]
    started, status = time.time(), 0
    with contextlib.suppress(KeyboardInterrupt):
        status = subprocess.run(command, env={"OMP_NUM_THREADS": "1", **os.environ, "PYTHONPATH": str(ROOT)}).returncode
    if status:
        sys.exit(f"the sweep failed with exit status {status}: {' '.join(command)}")
    return finished_parts(outputs, started)


def finished_parts(outputs: Path, started: float) -> SweepTime:
    """Add up what the finished runs of a sweep made themselves.

    Args:
        outputs: Folder of the runs.
        started: Time of the sweep's start, in seconds as of `time.time`.
    """
    reports = sorted(outputs.glob("*/*/report.json"), key=lambda path: path.stat().st_mtime_ns)
    if not reports:
        sys.exit("no run of the sweep is finished")
    wall = reports[-1].stat().st_mtime - started
    training, stages = list[float](), dict[str, dict[str, float]]()
    for path in reports:
        own = {file: each for file, each in results_in(path.parent) if "reused_from" not in each}
        stages[_scheme(path)] = {file: _seconds(each) for file, each in own.items() if each["stage"] != "train"}
        training += [_seconds(each) for each in own.values() if each["stage"] == "train"]
    return SweepTime(wall, training, stages)


def _scheme(report: Path) -> str:
    return str(read_report(report).config["quantization"]["name"])


def _seconds(result: dict[str, Any]) -> float:
    return float(result["seconds"])


def main() -> int:
    """Run the sweep and print its time."""
    with tempfile.TemporaryDirectory() as folder:
        found = timed_sweep(Path(folder), sys.argv[1:])
    for scheme, seconds in found.stages.items():
        print(f"{scheme}: {', '.join(f'{Path(file).stem} {each:.1f} s' for file, each in seconds.items())}")
    print(f"trainings: {len(found.training)}, {sum(found.training):.1f} s; with the stages {found.parts:.1f} s")
    print(f"wall time of the sweep: {found.wall:.1f} s, {found.ratio:.2f} of that (at most {LIMIT})")
    return 1 if found.ratio > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
