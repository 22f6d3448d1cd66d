"""`model.standardized=true`: mean and deviation of the training images, measured once, part of the weights."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sr import experiment

TINY = [
    "model=srresnet_tiny", "model.standardized=true", "scale=2", "train.iterations=2", "train.chunk=2",
    "train.validate_every=2", "train.checkpoint_every=2", "train.precision=fp32", "data.batch_size=2",
    "data.lr_patch=16", "data.val_images=1", "data.val_crop=128", "quantization=fp32", "callbacks=train_only",
    "callbacks.cost=null", "logger=none", "size=64x96",
]  # fmt: skip


def run(folder: Path, *overrides: str) -> dict[str, torch.Tensor]:
    folder.mkdir()

    def no_pixel_run(config: object) -> Path:
        raise AssertionError("init=pixel was not asked for")

    experiment.run(experiment.compose([*TINY, *overrides]), folder, no_pixel_run)
    return load_file(folder / "float/weights.safetensors")


def test_measured_on_the_training_images_kept_with_the_weights(tmp_path: Path) -> None:
    weights = run(tmp_path / "first")
    measured = json.loads((tmp_path / "first/data.json").read_text())
    mean, std = (torch.tensor(measured[name]) for name in ("lr_mean", "lr_std"))
    assert mean.min() > 0 and mean.max() < 1 and std.min() > 0.05 and std.max() < 0.5
    torch.testing.assert_close(weights["standardize.weight"].flatten(1), torch.diag(1 / std))
    torch.testing.assert_close(weights["standardize.bias"], -mean / std)
    assert not any("destandardize" in name for name in weights), "folded into the last convolution"
    # Other images, the same net: what its weights brought stays, unless it is told to begin anew.
    other = [f"init={tmp_path / 'first'}", "data.shrink=2", "train.iterations=0"]
    assert torch.equal(run(tmp_path / "kept", *other)["standardize.bias"], weights["standardize.bias"])
    anew = run(tmp_path / "anew", *other, "init_leave=[standardize,destandardize]")
    measured = json.loads((tmp_path / "anew/data.json").read_text())
    assert anew["standardize.bias"].tolist() == pytest.approx(
        [-m / s for m, s in zip(measured["lr_mean"], measured["lr_std"], strict=True)]
    )
    assert not torch.equal(anew["standardize.bias"], weights["standardize.bias"])
