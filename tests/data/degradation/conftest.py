"""A photograph and its LR image, for all steps."""

from fractions import Fraction

import numpy as np
import pytest
from skimage import data

from sr.data.pairs import ImagePair
from sr.functional.resize import downscale

X2 = Fraction(2)


def photo_pair(height: int = 96, width: int = 128, scale: float = 2) -> ImagePair:
    hr = np.ascontiguousarray(data.astronaut()[:height, 120 : 120 + width])
    return ImagePair("astronaut", downscale(hr, scale), hr)


def psnr_db(one: np.ndarray, other: np.ndarray) -> float:
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


@pytest.fixture(scope="session")
def pair() -> ImagePair:
    return photo_pair()
