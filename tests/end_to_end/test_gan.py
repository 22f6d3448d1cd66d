"""`task=gan` as a user types it: the pixel-loss run comes first, a kill loses nothing, two runs blend."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

TINY = [
    "model=quicksrnet", "model.f=8", "model.m=1", "train.iterations=40", "train.chunk=4", "train.precision=fp32",
    "train.validate_every=40", "train.checkpoint_every=8", "data.batch_size=2", "data.lr_patch=16",
    "data.val_images=1", "data.val_crop=128", "quantization=fp32", "callbacks=train_only", "callbacks.cost=null",
    "size=64x96",
]  # fmt: skip
GAN = ["task=gan", "task/perceptual=none", "task.discriminator.f=4", 'pixel=["train.iterations=20"]']


def command(folder: Path, *overrides: str) -> list[str]:
    return [sys.executable, "-m", "sr.run", f"hydra.run.dir={folder}", *TINY, *overrides]


def finish(folder: Path, *overrides: str) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command(folder, *overrides), capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def state(folder: Path) -> dict:
    return torch.load(folder / "checkpoints/last.ckpt", weights_only=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    finish(folder, *GAN)
    return folder


def pixel_of(folder: Path) -> Path:
    (found,) = [each for each in folder.parent.iterdir() if each.is_dir() and each.name.startswith("model.f_8")]
    return found


def logged(folder: Path) -> dict[str, list[int]]:
    """At which steps each figure was logged."""
    with open(folder / "logs/version_0/metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [int(row["step"]) for row in rows if row[name]] for name in rows[0]}


def test_the_pixel_loss_run_came_first_and_is_a_run_of_its_own(whole: Path) -> None:
    pixel = json.loads((pixel_of(whole) / "report.json").read_text())
    assert pixel["config"]["task"]["_target_"].endswith(".Regression") and pixel["training"]["iterations"] == 20
    assert pixel["config"]["optimizer"]["lr"] == 2.5e-3, "its rate is not the adversarial one"
    assert (state(pixel_of(whole))["global_step"], state(whole)["global_step"]) == (20, 40)
    logs = {folder: logged(folder) for folder in (whole, pixel_of(whole))}
    assert "train/d_real" in logs[whole] and "train/d_real" not in logs[pixel_of(whole)], "each logs in its own folder"
    for folder, iterations in ((whole, 40), (pixel_of(whole), 20)):
        assert logs[folder]["train/loss"] == list(range(4, iterations + 1, 4)), "its axis is the iteration"
    assert logs[whole]["val/psnr_y_db"][-1] == 40, "the first stage ends before its first validation"


def test_killed_in_the_second_stage_the_same_command_completes_it(tmp_path: Path, whole: Path) -> None:
    folder = tmp_path / "killed"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command(folder, *GAN), stdout=subprocess.DEVNULL, env=environment)
    deadline = time.monotonic() + 300
    while not (folder / "checkpoints/last.ckpt").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    said = finish(folder, *GAN)
    assert "first stage" not in said, "it is not looked at again"
    ours, theirs = state(folder)["state_dict"], state(whole)["state_dict"]
    assert {name.partition(".")[0] for name in ours} == {"net", "average", "discriminator"}
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert "nothing to do" in finish(folder, *GAN)


def test_weights_blend_without_training(tmp_path: Path, whole: Path) -> None:
    pixel = pixel_of(whole)
    finish(tmp_path / "run", "train.iterations=0", f"init={pixel}", f"blend={whole}", "alpha=0.25")
    got, first, second = (load_file(each / "float/weights.safetensors") for each in (tmp_path / "run", pixel, whole))
    for name, value in got.items():
        torch.testing.assert_close(value, 0.75 * first[name] + 0.25 * second[name])
    report = json.loads((tmp_path / "run/report.json").read_text())
    assert report["training"]["iterations"] == 0 and report["quality"]["float"]["heldout"]["psnr_y_db"] > 5
