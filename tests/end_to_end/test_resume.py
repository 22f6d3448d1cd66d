"""The whole command, killed at any moment and typed again: the same numbers, nothing half-written or done twice."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

TINY = [
    "model.f=8",
    "model.m=1",
    "train.iterations=80",
    "train.chunk=4",
    "train.precision=fp32",
    "train.validate_every=40",
    "train.checkpoint_every=8",
    "data.batch_size=2",
    "data.lr_patch=16",
    "data.val_images=1",
    "data.val_crop=128",
    "quantization=w8a8_qat",
    "quantization.stages.qat.iterations=8",
    "quantization.stages.qat.checkpoint_every=2",
    "quantization.calibration_batches=1",
    "size=64x96",
    "export.num_crops=1",
    "export.crop_lr_side=48",
    "export.emulate=[69]",
    "export.chips=[SM8450]",
    "export.estimates=[]",
    "callbacks.cost.num_repeats=1",
    "logger=csv",
]


def start(folder: Path, *overrides: str, **popen) -> subprocess.Popen:
    command = [sys.executable, "-m", "sr.run", f"hydra.run.dir={folder}", *TINY, *overrides]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, **popen
    )


def finish(folder: Path, *overrides: str) -> tuple[int, str]:
    process = start(folder, *overrides)
    output, _ = process.communicate(timeout=300)
    return process.returncode, output


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """An uninterrupted run."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    code, output = finish(folder)
    assert code == 0, output
    return folder


def same_training(folder: Path, whole: Path) -> None:
    ours, theirs = weights(folder), weights(whole)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    quantized = [torch.load(each / "quantized/simulation.pt", weights_only=True)["state"] for each in (folder, whole)]
    tensors = [{name: value for name, value in state.items() if isinstance(value, torch.Tensor)} for state in quantized]
    assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in tensors[1])


def wait_for(process: subprocess.Popen, path: Path, seconds: float, *, root: Path) -> None:
    """Wait until a process has claimed the run folder `root` and `path` is there, maybe from before, and then some."""
    deadline = time.monotonic() + 240
    running = root / ".running"
    while process.poll() is None and time.monotonic() < deadline:
        if path.exists() and running.exists() and f"process {process.pid} " in running.read_text():
            break
        time.sleep(0.02)
    time.sleep(seconds)


def stopped_by(process: subprocess.Popen, how: signal.Signals) -> bool:
    """Whether a shell sees 128 + `how`; Python may also end by the signal itself, where it came amid an `exec`."""
    return process.returncode in (128 + how, -how)


@pytest.mark.aimet
@pytest.mark.qnn
def test_killed_between_the_last_checkpoint_and_the_end_of_training(tmp_path, whole):
    folder = shutil.copytree(whole, tmp_path / "killed")
    before = json.loads((folder / "training.json").read_text())
    for name in ("training.json", "report.json"):
        (folder / name).unlink()
    code, output = finish(folder)
    assert code == 0, output
    after = json.loads((folder / "training.json").read_text())
    assert after["iterations"] == before["iterations"] and (folder / "report.json").is_file()


@pytest.mark.aimet
@pytest.mark.qnn
@pytest.mark.timeout(1200)
def test_killed_in_every_phase_the_same_command_completes_it(tmp_path, whole):
    folder = tmp_path / "killed"
    random.seed(0)
    phases = [
        ("checkpoints/last.ckpt", signal.SIGTERM),
        ("float/weights.json", signal.SIGINT),
        ("quantized/qat/last.ckpt", signal.SIGTERM),
        ("quantized/quantized.json", signal.SIGKILL),
        ("export/export.json", signal.SIGKILL),
    ]
    for phase, how in phases:
        process = start(folder)
        wait_for(process, folder / phase, random.uniform(0, 0.3), root=folder)
        process.send_signal(how)
        output, _ = process.communicate()
        if (folder / "report.json").exists():
            assert (phase, how) == phases[-1]
        elif how != signal.SIGKILL:
            assert stopped_by(process, how) and "Traceback" not in output, output
            if how == signal.SIGINT or process.returncode > 0:  # else SIGTERM came while the package was imported
                assert "Stopped" in output
            assert not (folder / "failed.json").exists()
    code, output = finish(folder)
    assert code == 0, output
    assert (folder / "report.json").is_file()
    same_training(folder, whole)
    assert not list(folder.rglob(".[0-9]*.*")), "what SIGKILL left behind is removed by the next start"


def test_the_second_time_nothing_is_done(whole):
    before = {
        path: path.stat().st_mtime_ns for path in whole.rglob("*") if path.is_file() and ".hydra" not in path.parts
    }
    resource = pytest.importorskip("resource", reason="this system does not tell the CPU time of a command")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    code, output = finish(whole)
    assert code == 0 and "is finished; nothing to do" in output
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime < 2, "seconds of CPU"
    after = {path: path.stat().st_mtime_ns for path in before}
    changed = {path.name for path in before if before[path] != after[path]}
    assert changed <= {"run.log", ".running"}


@pytest.mark.parametrize("seconds", [0, 0.5, 2])
def test_interrupted_before_training(tmp_path, seconds):
    process = start(tmp_path / "run")
    wait_for(process, tmp_path / "run", seconds, root=tmp_path / "run")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate()
    assert stopped_by(process, signal.SIGINT) and "Traceback" not in output, output
    assert "Stopped" in output and not (tmp_path / "run/failed.json").exists()


def test_a_changed_setting_is_refused_and_harms_nothing(whole):
    report = (whole / "report.json").read_bytes()
    code, output = finish(whole, "optimizer.lr=1e-3")
    assert code == 1 and "optimizer.lr: 0.0025 before, 0.001 now" in output
    assert "Traceback" not in output
    assert (whole / "report.json").read_bytes() == report and not (whole / "failed.json").exists()


def test_two_processes_on_one_folder(tmp_path):
    first = start(tmp_path / "run")
    wait_for(first, tmp_path / "run/config.yaml", 0, root=tmp_path / "run")
    code, output = finish(tmp_path / "run")
    first.kill()
    first.communicate()
    assert code == 1 and f"being written by process {first.pid} on " in output


def test_a_corrupt_checkpoint_is_named_in_one_line(tmp_path, whole):
    folder = tmp_path / "corrupt"
    (folder / "checkpoints").mkdir(parents=True)
    data = (whole / "checkpoints/last.ckpt").read_bytes()
    (folder / "checkpoints/last.ckpt").write_bytes(data[: len(data) // 2])
    code, output = finish(folder)
    assert code == 1 and "Traceback" not in output
    assert "checkpoints/last.ckpt cannot be read as a checkpoint" in output


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["scale=7"], "Error: scale is one of 1.5, 2, 3, 4, got 7"),
        (["data=folder", "data.root={empty}"], "no image"),
        (["data.lr_patch=4096"], "smaller than a patch"),
        (["data.test=[set5]", "data.test_root={empty}"], "set5"),
        (["init={empty}/none.safetensors"], "no weights at"),
        (["train.validate_every=41"], "not a multiple of train.chunk"),
        (["size=9999p"], "size='9999p' is no size"),
        (["optimizer.lr=fast"], "optimizer.lr is a number above 0 and at most 10, got 'fast'"),
        (["trainer.devices=2"], "machine.devices=2 trains on several"),
        (["machine.threads=two"], "machine.threads is a whole number from 1 to 4096, or null, got 'two'"),
    ],
)
def test_mistakes_end_in_one_clear_line(tmp_path, overrides, message):
    (tmp_path / "empty").mkdir()
    code, output = finish(tmp_path / "run", *(each.format(empty=tmp_path / "empty") for each in overrides))
    assert code == 1, output
    assert "Traceback" not in output, output
    assert message in output
