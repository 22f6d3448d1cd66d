"""Ranges of settings: read, refused, and drawn from with both ends."""

import numpy as np
import pytest

from sr.data.degradation.step import draw_whole, interval


@pytest.mark.parametrize("values", [[90, 50], [50], [1, 2, 3], "50", 50])
def test_what_is_no_range_is_refused(values):
    with pytest.raises(ValueError, match=r"quality is a range \[lowest, highest\], got"):
        interval("quality", values, least=1, most=100)


def test_a_range_outside_the_bounds_is_refused():
    with pytest.raises(ValueError, match=r"quality is a number from 1 to 100, got 101"):
        interval("quality", [50, 101], least=1, most=100)


def test_both_ends_are_drawn():
    draw = np.random.default_rng(0)
    assert {draw_whole(draw, (30, 32)) for _ in range(100)} == {30, 31, 32}
