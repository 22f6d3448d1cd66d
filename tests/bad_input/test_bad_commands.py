"""Command lines that a run refuses in one line and leaves no folder behind, in this process: `commands.txt`.

A row is `overrides => regular expression`. Training itself ends the test: what gets there was not refused.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import lightning
import pytest

from sr.job import start

ROWS = [
    line.split(" => ") for line in Path(__file__).with_name("commands.txt").read_text(encoding="utf-8").splitlines()
]


class TrainingBeganError(Exception):
    """A wrong command line got as far as the training."""


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*_, **__):
        raise TrainingBeganError

    monkeypatch.setattr(lightning.Trainer, "fit", fit)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")


@pytest.mark.parametrize(("overrides", "message"), ROWS, ids=[row[0] for row in ROWS])
def test_a_wrong_command_is_refused_in_one_line(overrides, message, tmp_path, monkeypatch, capsys, no_training):
    arguments = [*shlex.split(overrides), "logger=none", f"hydra.run.dir={tmp_path}/run"]
    monkeypatch.setattr(sys, "argv", ["sr.run", *arguments])
    try:
        status = start(arguments)
    except SystemExit as end:
        status = end.code
    said = capsys.readouterr().err.strip()
    assert status == 1
    assert said.startswith("Error: ") and "\n" not in said
    assert re.search(message, said), said
    assert list(tmp_path.iterdir()) == []


def sr_run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "sr.run", *arguments], cwd=cwd, capture_output=True, text=True, env=dict(os.environ)
    )


@pytest.mark.parametrize("override", ["data.root=/my photos (1)", "quantization.stages.qat.iterations=abc", "seed=nan"])
def test_a_process_ends_in_one_line_and_leaves_nothing(tmp_path, override):
    result = sr_run(override, f"hydra.run.dir={tmp_path}/run", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: ") and len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_without_a_login_wandb_prints_nothing_of_its_own(tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    result = sr_run("logger=wandb", "logger.mode=online", f"hydra.run.dir={tmp_path}/run", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr == (
        "Error: no W&B login: run `wandb login`, or set WANDB_API_KEY; or take logger.mode=offline, and send the run "
        "later with `wandb sync`\n"
    )
    assert not (tmp_path / "run").exists()


def test_a_sweep_counts_each_job_that_failed(tmp_path):
    result = sr_run("scale=7", "-m", "experiment=a,b", f"hydra.sweep.dir={tmp_path}", cwd=tmp_path)
    assert result.returncode == 1
    assert "2 of 2 jobs failed" in result.stderr


def test_a_key_of_swept_nets_alone_is_told_with_its_plus_signs(tmp_path):
    result = sr_run("-m", "model=sesr_m3,sesr_m5", "model.expand_bias=false", cwd=tmp_path)
    assert result.returncode == 1
    assert "write ++model.expand_bias=false" in result.stderr
