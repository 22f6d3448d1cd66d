"""A small picture, and the nets that the tests upscale with."""

from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from sr.upscale.opened_net import OpenedNet, open_net


@pytest.fixture(scope="session")
def net() -> OpenedNet:
    return open_net("quicksrnet_small")


@pytest.fixture(scope="session")
def int8_net() -> OpenedNet:
    return open_net("quicksrnet_small", precision="int8", runtime="onnxruntime")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(data.astronaut()[100:160, 100:180]).save(path)
    return path
