"""The command line as a user types it: quick answers, clear refusals."""

import os
import subprocess
import sys

import pytest


def sr_run(*arguments: str, cwd, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "sr.run", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--help"], 0, "sweeps=quicksrnet_depth"),
        (["--cfg", "job"], 0, "iterations:"),
        (["model.mm=5"], 1, "There is no key model.mm, and what is added with + nothing reads. Did you mean model.m"),
        (["iterations=5"], 1, "Did you mean train.iterations"),
        (["model=quicksrnet_smal"], 1, "Did you mean model=quicksrnet_small"),
        (["sweeps=nets_equal"], 1, "Did you mean sweeps=nets_equal_budget"),
    ],
)
def test_answers_in_two_seconds(tmp_path, arguments, status, text):
    resource = pytest.importorskip("resource", reason="this system does not tell the CPU time of a command")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = sr_run(*arguments, cwd=tmp_path)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime  # of CPU: a test machine is not quiet
    assert result.returncode == status
    assert text in result.stdout + result.stderr
    assert seconds < 2


def test_two_sweeps_at_once_are_refused(tmp_path):
    result = sr_run("sweeps=quicksrnet_depth", "hydra.mode=RUN", f"hydra.run.dir={tmp_path}/run", cwd=tmp_path)
    assert result.returncode == 1
    assert "model.m got no value" in result.stderr
