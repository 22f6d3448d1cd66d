"""The camera: each part has the strength that it was given."""

import numpy as np
import pytest

from sr.data.degradation.camera import Camera
from tests.data.degradation.conftest import X2, psnr_db

OFF = {"blur": [0, 0], "read_noise": [0, 0], "shot_noise": [0, 0], "quality": [100, 100]}


def made(pair, **changes):
    return Camera(**(OFF | changes)).apply(pair, X2, np.random.default_rng(1))


def flat(pair, value):
    return pair._replace(lr=np.full((64, 64, 3), value, np.uint8))


def test_noise_grows_with_the_brightness(pair):
    dark, bright = (made(flat(pair, value), shot_noise=[10, 10]).mean(2).std() for value in (8, 200))
    assert 0 < 2 * dark < bright


def test_read_noise_does_not(pair):
    dark, bright = (made(flat(pair, value), read_noise=[10, 10])[..., 1].std() for value in (60, 200))
    assert dark == pytest.approx(bright, rel=0.1) and dark > 4  # JPEG halves the colour of the noise


def test_blur_and_jpeg_lose_detail(pair):
    clean = psnr_db(made(pair), pair.lr)
    assert clean > psnr_db(made(pair, blur=[0.8, 0.8]), pair.lr)
    assert clean > psnr_db(made(pair, quality=[60, 60]), pair.lr)


def test_a_wrong_range_is_refused():
    with pytest.raises(ValueError, match=r"steps\.camera\.blur is a number from 0 to 1\.5, got 3"):
        Camera(**(OFF | {"blur": [0, 3]}))
