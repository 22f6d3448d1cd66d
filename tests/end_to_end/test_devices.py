"""One run on several devices: interrupted, resumed on another number of them, and with a process that is killed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from sr.runs.files import read_json

ITERATIONS = 200
TINY = [
    "model.f=8",
    "model.m=1",
    "optimizer=adam",
    "optimizer.lr=1e-4",
    f"train.iterations={ITERATIONS}",
    "train.chunk=4",
    "train.precision=fp32",
    "train.validate_every=100",
    "train.checkpoint_every=8",
    "data.batch_size=4",
    "data.lr_patch=16",
    "data.val_images=3",
    "data.val_crop=128",
    "quantization=w8a8_qat",
    "quantization.stages.qat.iterations=8",
    "quantization.stages.qat.checkpoint_every=4",
    "quantization.calibration_batches=1",
    "export=none",
    "callbacks=train_only",
    "+callbacks.quantize._target_=sr.stages.quantize.Quantize",
    "reuse=never",
    "logger=csv",
    "machine.accelerator=cpu",
    "machine.threads=1",
]
needs_two_cores = pytest.mark.skipif(
    not Path("/proc/self/environ").is_file() or len(os.sched_getaffinity(0)) < 2,
    reason="no /proc on this system, or one core only",
)


def start(folder: Path, *overrides: str, environment: dict[str, str] | None = None) -> subprocess.Popen:
    """Type the command."""
    command = [sys.executable, "-m", "sr.run", f"hydra.run.dir={folder}", *TINY, *overrides]
    own = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return subprocess.Popen(command, env=own | (environment or {}), **pipes)


def finish(process: subprocess.Popen) -> str:
    """Wait for the end; returns what was printed."""
    output, _ = process.communicate()  # pytest's own limit ends a test that hangs
    assert process.returncode == 0, output
    return output


def iteration(folder: Path) -> int:
    """Return the iteration of the last checkpoint, 0 where there is none."""
    path = folder / "checkpoints/last.ckpt"
    return torch.load(path, weights_only=True)["global_step"] if path.is_file() else 0


def wait_until(folder: Path, process: subprocess.Popen, least: int) -> None:
    """Wait for a checkpoint."""
    end = time.monotonic() + 500
    while iteration(folder) < least:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.2)


def stop(process: subprocess.Popen, folder: Path, least: int) -> None:
    """Stop a training by SIGTERM after a checkpoint."""
    wait_until(folder, process, least)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 143, output
    assert output.count("The same command goes on") == 1 and "Error" not in output, output


def workers(process: subprocess.Popen) -> dict[int, int]:
    """Return the process ids of the command's workers by their ranks."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            variables = (entry / "environ").read_bytes().split(b"\0") if entry.name.isdigit() else []
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1] if variables else ""
        except OSError:
            continue
        if parent == str(process.pid):
            found |= {int(each[5:]): int(entry.name) for each in variables if each.startswith(b"RANK=")}
    return found


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Return the net as it was trained."""
    return torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"]


def tuned(folder: Path) -> dict[str, torch.Tensor]:
    """Return the net after quantization-aware training."""
    state = torch.load(folder / "quantized/simulation.pt", weights_only=True)["state"]
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def assert_close(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    """Compare to summation order."""
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-5, msg=name)


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Path:
    """A run on one device."""
    folder = tmp_path_factory.mktemp("runs") / "alone"
    finish(start(folder))
    return folder


@needs_two_cores
@pytest.mark.slow
@pytest.mark.aimet
def test_one_two_one_with_a_killed_process(alone: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    stop(start(folder, "machine.devices=1"), folder, 8)
    first = iteration(folder)
    process = start(folder, "machine.devices=2")
    wait_until(folder, process, first + 16)
    children = workers(process)
    assert sorted(children) == [0, 1]
    os.kill(children[1], signal.SIGKILL)
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 1, output
    errors = [line for line in output.splitlines() if line.startswith("Error")]
    assert len(errors) == 1 and "device 1" in errors[0] and "SIGKILL" in errors[0], output
    assert "Traceback" not in output and "Stopped" not in output
    assert not any(Path(f"/proc/{pid}").exists() for pid in children.values())
    assert first < iteration(folder) < ITERATIONS
    finish(start(folder, "machine.devices=1"))
    assert_close(weights(folder), weights(alone))
    assert read_json(folder / "training.json")["iterations"] == ITERATIONS


@needs_two_cores
@pytest.mark.slow
@pytest.mark.aimet
def test_two_devices_give_the_run_of_one(alone: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    stop(start(folder, "machine.devices=2"), folder, 8)
    assert 8 <= iteration(folder) < ITERATIONS
    assert not (folder / "failed.json").exists()
    finish(start(folder, "machine.devices=2"))
    assert_close(weights(folder), weights(alone))
    assert_close(tuned(folder), tuned(alone))
