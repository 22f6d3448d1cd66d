"""Pictures and a finished run for the tests of advice about files."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.advice.tiny_run import TINY, start


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    noise = np.random.default_rng(0)
    for index in range(4):
        Image.fromarray(noise.integers(0, 256, (64, 64, 3), np.uint8)).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def finished(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run without its report and its marks: it goes on where its last checkpoint is."""
    folder = tmp_path_factory.mktemp("outputs") / "main/run"
    start(folder, *TINY, f"data.root={images}", f"data.cache={images.parent / 'cache'}")
    return folder


@pytest.fixture
def stopped(finished: Path, tmp_path: Path) -> Path:
    """A copy of the run as a kill at its last checkpoint leaves it."""
    folder = shutil.copytree(finished, tmp_path / "main/run")
    for name in ("report.json", "float/weights.json"):
        (folder / name).unlink()
    return folder
