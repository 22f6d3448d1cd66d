"""A few small pictures and a small net: what the benchmarks are tried on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def small(tmp_path: Path) -> list[str]:
    """Overrides: QuickSRNet with 8 features, three pictures of noise of 96 pixels, patches of 12."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        Image.fromarray(rng.integers(0, 256, (96, 96, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    return [
        "model=quicksrnet_small", "model.f=8", "model.m=1", "data=folder", f"data.root={folder}", "data.lr_patch=12",
        "data.batch_size=2", "train.chunk=5", "machine.threads=1", f"data.cache={tmp_path / 'cache'}",
    ]  # fmt: skip
