"""Sweeps from the command line, by every launcher, on the same outputs: real processes, real trainings."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sr.report.runs import find_runs
from tests.end_to_end.tiny_sweep import TINY as SHORT

TINY = [*SHORT, "logger=none", "experiment=sweep"]
SWEEP = ["-m", *TINY, "model.m=1,-3", "protocol=y,rgb"]
FAILED = ": model.m is a whole number from 0 to 4096, got -3"


def sr_run(place: Path, *arguments: str, **popen) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "sr.run", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "SR_OUTPUTS": str(place), "SR_CACHE": str(place / "cache")}
    popen |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment}
    return subprocess.Popen(command, text=True, **popen)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Outputs of a sweep of four jobs by joblib, of which two share a training and two fail; what it printed."""
    place = tmp_path_factory.mktemp("outputs")
    process = sr_run(place, *SWEEP, "launcher=joblib", "launcher.jobs=4")
    out, error = process.communicate(timeout=500)
    assert process.returncode == 1, error
    return place, out, error


def reports(place: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in place.glob("sweep/*/report.json")}


def test_failed_jobs_are_listed_and_the_others_finish(swept):
    place, out, error = swept
    assert "2 of 4 jobs failed; the same command runs only these again:" in error
    assert error.count(FAILED) == 2 and out.count(FAILED) == 2 and out.count("] finished sweep/") == 2
    assert len(reports(place)) == 2 == len([*place.glob("sweep/*")])


def test_jobs_that_share_a_training_train_once(swept):
    place = swept[0]
    made = [json.loads(path.read_text())["made_by"] for path in place.glob("sweep/*/report.json")]
    assert sorted("reused_from" in each["train"] for each in made) == [False, True]


def test_images_are_decoded_once_though_jobs_start_together(swept):
    place = swept[0]
    maps = [*place.glob("cache/*/index.json")]
    assert maps
    logs = [path.read_text() for path in place.glob(".sweeps/*/*.log")]
    assert sum(len(re.findall(r"wrote \d+ images in", text)) for text in logs) == len(maps)


@pytest.mark.parametrize("launcher", ["basic", "ray"])
def test_a_finished_sweep_does_the_same_under_every_launcher(swept, launcher):
    place = swept[0]
    before = reports(place)
    process = sr_run(place, *SWEEP, f"launcher={launcher}")
    out, error = process.communicate(timeout=300)
    assert process.returncode == 1, out
    assert "2 of 4 jobs failed" in error and error.count(FAILED) >= 2
    assert reports(place) == before


@pytest.mark.skipif(sys.platform == "win32", reason="signals to a process are a POSIX thing")
def test_ctrl_c_ends_all_jobs_with_a_checkpoint_and_the_same_command_goes_on(tmp_path):
    long = [text if "iterations" not in text else "train.iterations=100000" for text in TINY]
    arguments = ["-m", *long, "model.m=1,2,3", "launcher=joblib", "launcher.jobs=2", "train.validate_every=100000"]
    process = sr_run(tmp_path, *arguments)
    wait_for(lambda: len([*tmp_path.glob("sweep/*/checkpoints/*.ckpt")]) >= 2, process)
    states = sorted(run.status for run in find_runs([tmp_path]))
    assert states == ["running", "running", "waiting"]
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    assert "0 of 3 jobs are finished." in error and "The same command goes on from the last checkpoint." in error
    assert [run.status for run in find_runs([tmp_path])] == ["unfinished", "unfinished"]


def wait_for(met, process, seconds=300.0):
    """Wait until a condition is met, or fail with what the process printed."""
    end = time.monotonic() + seconds
    while not met():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            pytest.fail("\n".join(process.communicate()))
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["launcher=joblib", "launcher.jobs=0"], "launcher.jobs is a whole number from 1 to 4096, or null, got 0"),
        (["launcher=ray", "launcher.gpus=-1"], "launcher.gpus is a number from 0 to 64, or null, got -1"),
        (["launcher.kind=ray"], "launcher.kind follows from launcher"),
        (["launcher=joblib", "launcher.gpus=1"], "launcher.gpus"),
    ],
)
def test_wrong_settings_of_a_launcher_are_refused_in_one_line(tmp_path, arguments, message):
    process = sr_run(tmp_path, "-m", "experiment=a,b", *arguments)
    _, error = process.communicate(timeout=100)
    assert process.returncode == 1
    assert re.search(message, error) and len(error.splitlines()) == 1, error
