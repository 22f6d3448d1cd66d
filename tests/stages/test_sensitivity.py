"""What a run leaves of the inside of its quantized net."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sr.experiment import compose, run

SETTINGS = [
    "model.f=8",
    "model.m=1",
    "data=folder",
    "data.heldout_every=2",
    "data.lr_patch=16",
    "train.iterations=0",
    "quantization.calibration_batches=1",
    "quantization.calibration_batch_size=4",
    "callbacks.sensitivity.num_crops=4",
    "logger=none",
]


@pytest.fixture
def described(tmp_path: Path) -> Any:
    """Run everything up to the description with a scheme; gives the run folder."""
    rng = np.random.default_rng(0)
    for index in range(4):
        small = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        (tmp_path / "images").mkdir(exist_ok=True)
        small.resize((64, 64), Image.Resampling.BICUBIC).save(tmp_path / f"images/{index}.png")

    def made(scheme: str) -> Path:
        off = [f"callbacks.{name}=null" for name in ("export", "images", "cost", "report")]
        settings = [*SETTINGS, *off, f"data.root={tmp_path / 'images'}", f"quantization={scheme}"]
        if scheme == "fp32":
            settings = [setting for setting in settings if "calibration" not in setting]
        folder = tmp_path / scheme
        folder.mkdir(exist_ok=True)
        run(compose(settings), folder, lambda _: folder)
        return folder

    return made


@pytest.mark.aimet
def test_layers_pictures_and_blocks_of_a_run(described: Any) -> None:
    folder = described("w8a8_ptq")
    found = json.loads((folder / "sensitivity/sensitivity.json").read_text())
    weighted = [layer["name"] for layer in found["layers"] if layer["kind"] == "Conv2d"]
    assert weighted == ["cnn.0", "cnn.2", "conv_last"]
    assert all(10 < layer["alone_db"] <= 200 and layer["sqnr_db"] > 10 for layer in found["layers"])
    assert len(found["blocks"]) == 2, "each held-out image"
    assert all(facts["quantized_phase_spread_lsb"] >= 0 for facts in found["blocks"].values())
    assert all(0.5 < facts["hr_border_ratio"] < 2 for facts in found["blocks"].values())
    pictures = {path.stem: np.asarray(Image.open(path)) for path in (folder / "sensitivity").glob("*.png")}
    assert "difference" in pictures and len(pictures) > 2
    third = pictures["difference"].shape[1] // 3
    assert 100 < pictures["difference"][:, -third:].mean() < 156, "grey, where nothing differs"


@pytest.mark.aimet
def test_it_is_done_once(described: Any) -> None:
    path = described("w8a8_ptq") / "sensitivity/sensitivity.json"
    before = path.stat().st_mtime_ns
    described("w8a8_ptq")
    assert path.stat().st_mtime_ns == before


def test_of_a_float_net_there_is_nothing_to_say(described: Any) -> None:
    folder = described("fp32")
    found = json.loads((folder / "sensitivity/sensitivity.json").read_text())
    assert found["layers"] == [] and found["blocks"] == {}
    assert not list((folder / "sensitivity").glob("*.png"))
