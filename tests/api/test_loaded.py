"""`sr.load`: pretrained nets, runs and files as functions of images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sr
from tests.api.foreign_net import Foreign


def test_arrays_frames_and_pictures_come_back_as_they_went_in(photos: list[np.ndarray]) -> None:
    net = sr.load("quicksrnet_small", scale=2)
    one = net(photos[0])
    assert one.shape == (384, 384, 3) and one.dtype == np.uint8
    assert np.array_equal(net(np.stack(photos))[0], one)
    picture = net(Image.fromarray(photos[0]))
    assert isinstance(picture, Image.Image) and np.array_equal(np.array(picture), one)
    assert "quicksrnet_small x2, fp32 on torch" in repr(net)


def test_int8_is_scored_close_to_fp32(photos: list[np.ndarray]) -> None:
    scores = [sr.evaluate(sr.load("quicksrnet_small", precision=name), photos).psnr_db for name in ("fp32", "int8")]
    assert scores[0] > scores[1] > 45


@pytest.mark.aimet
def test_an_exported_file_is_loaded_again(foreign: Foreign, photos: list[np.ndarray], tmp_path: Path) -> None:
    quantized = sr.quantize(foreign, photos, scheme="w8a8_ptq")
    sr.export(quantized, tmp_path, target="onnx", size="90x120")
    net = sr.load(tmp_path / "pixels.onnx", runtime="onnxruntime")
    difference = np.abs(net(photos[0]).astype(int) - quantized(photos[0]))
    assert net.scale == 2 and difference.max() <= 2


def test_a_net_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="quicksrnet_smal"):
        sr.load("quicksrnet_smal")
