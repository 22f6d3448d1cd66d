"""JPEG: a lower quality is worse, and the range is drawn from."""

import numpy as np
import pytest

from sr.data.degradation.jpeg import Jpeg, jpeg_coded
from tests.data.degradation.conftest import X2, psnr_db


def test_a_lower_quality_is_worse(pair):
    scores = [psnr_db(jpeg_coded(pair.lr, quality), pair.lr) for quality in (95, 70, 30)]
    assert scores[0] > scores[1] > scores[2] > 20


def test_the_quality_is_drawn_from_the_range(pair):
    step = Jpeg(quality=[50, 52])
    made = {step.apply(pair, X2, np.random.default_rng(seed)).tobytes() for seed in range(20)}
    assert made == {jpeg_coded(pair.lr, quality).tobytes() for quality in (50, 51, 52)}


def test_a_wrong_range_is_refused():
    with pytest.raises(ValueError, match=r"steps\.jpeg\.quality is a number from 1 to 100, got 0"):
        Jpeg(quality=[0, 50])
