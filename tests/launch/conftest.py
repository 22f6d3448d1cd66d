"""Jobs of a sweep that are real processes of `python -m sr.run`, but take only the second that composing a config does.

`killed` puts a sitecustomize module before the others: it kills what the test wants killed as the process starts.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sr.launch.sweep_job import SweepJob

MakeJob = Callable[..., SweepJob]
KILL_ONCE = """
import os, signal, sys
from pathlib import Path
mark = Path({mark!r})
if "sr.run" in sys.orig_argv and len(list(mark.glob("*"))) < {times}:
    (mark / str(os.getpid())).touch()
    os.kill({whom}, signal.SIGKILL)
"""


@pytest.fixture
def make_job(tmp_path: Path, repo_root: Path) -> MakeJob:
    """`make_job(number, *overrides, killed="os.getpid()", times=1)`: by default a job that succeeds at once."""

    def made(number: int = 0, *overrides: str, killed: str = "", times: int = 1, retries: int = 2) -> SweepJob:
        logs = tmp_path / "outputs" / ".sweeps" / "one"
        logs.mkdir(parents=True, exist_ok=True)
        path = str(repo_root)
        if killed:
            module, mark = tmp_path / f"kills{number}", tmp_path / f"marks{number}"
            module.mkdir()
            mark.mkdir()
            text = KILL_ONCE.format(mark=str(mark), times=times, whom=killed)
            (module / "sitecustomize.py").write_text(text, encoding="utf-8")
            path = f"{module}{os.pathsep}{path}"
        return SweepJob(
            number=number,
            folder=tmp_path / "outputs" / "main" / f"job{number}",
            overrides=("--cfg", "job", *overrides),
            logs=logs,
            home=tmp_path,
            environment={"PYTHONPATH": path},
            cpus=1,
            retries=retries,
        )

    return made
