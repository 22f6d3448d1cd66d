"""The second-order degradation: of the right size for any image and scale, and strong."""

from fractions import Fraction

import numpy as np
import pytest
from omegaconf import OmegaConf

from sr.data.degradation.real_esrgan import RealEsrgan
from tests.conftest import ROOT
from tests.data.degradation.conftest import X2, photo_pair, psnr_db

SETTINGS = OmegaConf.to_container(OmegaConf.load(ROOT / "conf/degradation.yaml"))["steps"]["real_esrgan"]
STEP = RealEsrgan(first=SETTINGS["first"], second=SETTINGS["second"])


@pytest.mark.parametrize(("height", "width", "scale"), [(96, 128, 2), (8, 12, 4), (33, 99, 3), (96, 63, 1.5)])
def test_it_ends_at_the_size_of_lr(height, width, scale):
    pair = photo_pair(height, width, scale)
    for seed in range(6):
        made = STEP.apply(pair, Fraction(scale).limit_denominator(2), np.random.default_rng(seed))
        assert made.shape == pair.lr.shape and made.dtype == np.uint8


def test_it_is_strong_but_shows_the_image(pair):
    scores = [psnr_db(STEP.apply(pair, X2, np.random.default_rng(seed)), pair.lr) for seed in range(12)]
    assert 10 < np.mean(scores) < 32 and len({round(each, 3) for each in scores}) == 12


def test_missing_and_wrong_ranges_are_refused():
    with pytest.raises(ValueError, match=r"real_esrgan\.first has blur, .*, got blur"):
        RealEsrgan(first={"blur": [1, 2]}, second=SETTINGS["second"])
    with pytest.raises(ValueError, match=r"real_esrgan\.second\.quality is a number from 1 to 100, got 0"):
        RealEsrgan(first=SETTINGS["first"], second=SETTINGS["second"] | {"quality": [0, 5]})
