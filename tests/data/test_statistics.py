"""Mean and standard deviation of the training images, against numpy over all pixels at once."""

import numpy as np
import pytest

from sr.data.statistics import mean_and_std, moments


def test_pixels_count_equally_whatever_their_image() -> None:
    random = np.random.default_rng(0)
    images = [random.integers(low, 256, (size, 7, 3), np.uint8) for low, size in ((0, 5), (100, 50))]
    found = mean_and_std(sum(moments(image) for image in images))
    pixels = np.concatenate([image.reshape(-1, 3) for image in images]) / 255
    assert found["lr_mean"] == pytest.approx(pixels.mean(0), abs=1e-4)
    assert found["lr_std"] == pytest.approx(pixels.std(0), abs=1e-4)
