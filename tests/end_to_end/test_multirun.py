"""Sweeps from the command line, and the loggers, each as a real process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.tiny_sweep import TINY


def sr_run(*overrides: str, **popen) -> subprocess.CompletedProcess:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "WANDB_SILENT": "true"}
    flags = [each for each in overrides if each.startswith("--")]
    command = [sys.executable, "-m", "sr.run", *flags, *TINY, *(each for each in overrides if each not in flags)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, **popen)


@pytest.mark.timeout(600)
def test_finished_jobs_are_skipped_and_failed_ones_listed(tmp_path):
    sweep = ["--multirun", f"hydra.sweep.dir={tmp_path}", "experiment=sweep", "model.m=1,-3,2", "logger=none"]
    first = sr_run(*sweep)
    assert first.returncode == 1
    assert "1 of 3 jobs failed; the same command runs only these again:" in first.stderr
    assert first.stderr.count(": model.m is a whole number from 0 to 4096, got -3") == 2
    done = sorted(path.parent for path in tmp_path.glob("sweep/*/report.json"))
    assert len(done) == 2
    stamps = [(folder / "report.json").stat().st_mtime_ns for folder in done]
    second = sr_run(*sweep)
    assert second.returncode == 1 and second.stdout.count("is finished; nothing to do") == 2
    assert [(folder / "report.json").stat().st_mtime_ns for folder in done] == stamps
    table = subprocess.run(
        [sys.executable, "-m", "sr.report", str(tmp_path / "sweep"), "--format", "json"], capture_output=True, text=True
    )
    assert table.returncode == 0, table.stderr
    assert len(json.loads(table.stdout)) >= 1


def test_wandb_goes_on_in_the_same_run(tmp_path):
    folder = tmp_path / "group" / "run"
    result = sr_run(f"hydra.run.dir={folder}", "logger=wandb", "model.m=1")
    assert result.returncode == 0, result.stdout + result.stderr
    (folder / "report.json").unlink()
    again = sr_run(f"hydra.run.dir={folder}", "logger=wandb", "model.m=1")
    assert again.returncode == 0, again.stdout + again.stderr
    ids = {path.name.rsplit("-", 1)[1] for path in folder.glob("wandb/offline-run-*")}
    assert len(list(folder.glob("wandb/offline-run-*"))) == 2 and len(ids) == 1
    assert list(folder.glob("wandb/offline-run-*/files/media/images/validation*.png"))
    assert list(folder.glob("wandb/offline-run-*/files/media/table/quality*.json"))
    # What `wandb sync` will send, as W&B's own log of the run has it: the model with its aliases and files.
    log = next(folder.glob("wandb/offline-run-*/run-*.wandb")).read_bytes()
    for text in (b"group-run", b"finished", b"checkpoints/last.ckpt", b"float/weights.safetensors", b"report/cost/"):
        assert text in log


def test_each_stage_of_one_process_has_a_wandb_run_of_its_own(tmp_path):
    gan = ["task=gan", "task/perceptual=none", "task.discriminator.f=4", 'pixel=["train.iterations=4"]']
    result = sr_run(f"hydra.run.dir={tmp_path / 'second'}", "logger=wandb", "model.m=1", *gan)
    assert result.returncode == 0, result.stdout + result.stderr
    logs = {path.parts[-4]: path.read_bytes() for path in tmp_path.glob("*/wandb/offline-run-*/run-*.wandb")}
    assert len(logs) == 2
    for folder, log in logs.items():
        assert (b"train/d_real" in log) == (folder == "second"), "the discriminator plays in the second stage only"
        assert f"{tmp_path.name}-{folder}".encode()[-60:] in log and b"report/cost/" in log


def test_tensorboard_gets_curves_and_pictures(tmp_path):
    result = sr_run(f"hydra.run.dir={tmp_path / 'run'}", "logger=tensorboard", "model.m=1")
    assert result.returncode == 0, result.stdout + result.stderr
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "run/logs/tensorboard"))
    events.Reload()
    assert "val/psnr_y_db" in events.Tags()["scalars"] and "validation" in events.Tags()["images"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits on file sizes are a POSIX thing")
def test_a_full_disk_is_named_in_one_line_and_leaves_nothing_half_written(tmp_path):
    import resource

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    folder = tmp_path / "run"
    environment_cache = sr_run(f"hydra.run.dir={tmp_path / 'warm'}", "logger=none", "model.m=1")
    assert environment_cache.returncode == 0
    result = sr_run(f"hydra.run.dir={folder}", "logger=none", "model.m=1", "reuse=never", preexec_fn=no_room)
    assert result.returncode == 1
    assert "could not be written" in result.stderr and "Traceback" not in result.stderr
    assert not list(Path(folder).rglob(".*.*.*"))
