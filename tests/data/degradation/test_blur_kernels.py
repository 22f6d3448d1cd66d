"""Blur kernels: they keep the brightness, are centred, and have the widths that they were given."""

import numpy as np
import pytest

from sr.data.degradation.blur_kernels import SIDES, random_kernel, shaped_kernel, sinc_kernel


def test_each_kernel_has_the_sum_1_and_its_centre_in_the_middle():
    draw = np.random.default_rng(0)
    for _ in range(200):
        kernel = random_kernel(draw, (0.2, 3))
        assert kernel.shape[0] in SIDES and kernel.dtype == np.float32
        assert kernel.sum() == pytest.approx(1, abs=1e-5)
        assert np.allclose(kernel, kernel[::-1, ::-1], atol=1e-6)


def test_the_axes_are_as_wide_as_asked():
    kernel = shaped_kernel(21, (3.0, 1.0), 0.0, "gaussian", 1.0)
    x = np.arange(21) - 10
    widths = [np.sqrt((kernel.sum(axis) * x**2).sum()) for axis in (0, 1)]
    assert widths == pytest.approx([3.0, 1.0], rel=0.02)


def test_a_sinc_kernel_rings():
    draw = np.random.default_rng(0)
    assert min(sinc_kernel(draw).min() for _ in range(10)) < -1e-3
