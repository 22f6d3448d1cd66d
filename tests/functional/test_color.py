"""Colour: scikit-image's BT.601 as the outside reference, round trips, bytes."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr

from sr.functional.color import rgb_to_y, rgb_to_ycbcr, to_uint8, ycbcr_to_rgb


def _images() -> torch.Tensor:
    return torch.rand(2, 3, 5, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_equals_scikit_image() -> None:
    theirs = rgb2ycbcr(_images().permute(0, 2, 3, 1).numpy()).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(rgb_to_ycbcr(_images()) * 255, theirs, atol=1e-10)
    np.testing.assert_allclose(rgb_to_y(_images()) * 255, theirs[:, :1], atol=1e-10)


@pytest.mark.parametrize(
    ("rgb", "ycbcr"), [((0, 0, 0), (16, 128, 128)), ((1, 1, 1), (235, 128, 128)), ((0, 0, 1), (40.966, 240, 109.786))]
)
def test_range_is_limited(rgb: tuple[float, ...], ycbcr: tuple[float, ...]) -> None:
    pixel = torch.tensor(rgb, dtype=torch.float64).view(3, 1, 1)
    np.testing.assert_allclose(rgb_to_ycbcr(pixel).flatten() * 255, ycbcr, atol=1e-9)


def test_round_trip() -> None:
    np.testing.assert_allclose(ycbcr_to_rgb(rgb_to_ycbcr(_images())), _images(), atol=1e-12)
    single = _images().float()
    np.testing.assert_allclose(ycbcr_to_rgb(rgb_to_ycbcr(single)), single, atol=2e-6)


@pytest.mark.parametrize("convert", [rgb_to_y, rgb_to_ycbcr, ycbcr_to_rgb])
def test_refuses_bytes_and_other_channels(convert: object) -> None:
    with pytest.raises(ValueError, match="divide bytes by 255"):
        convert(torch.zeros(1, 3, 2, 2, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"shape \(..., 3, H, W\)"):
        convert(torch.zeros(1, 1, 2, 2))


def test_bytes_survive_the_round_trip() -> None:
    every_byte = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(every_byte / 255), every_byte)


def test_a_pixel_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="1 of 4 pixels are not finite"):
        to_uint8(torch.tensor([0.0, 1.0, float("nan"), 0.5]))
