"""Tiles give the bytes of the whole picture, within the memory of a tile."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sr.cost.receptive_field import receptive_field
from sr.evaluation import upscale_tiled, upscaler
from sr.functional.resize import bicubic, imresize
from sr.pretrained import load


class Cubic(nn.Module):
    """Bicubic, which notes the sides of what it was fed."""

    def __init__(self, scale: float, color: str, size_multiple: int = 1) -> None:
        super().__init__()
        self.scale, self.color, self.size_multiple = scale, color, size_multiple
        self.weight = nn.Parameter(torch.ones(()))
        self.sides: list[int] = []

    def forward(self, lr: Tensor) -> Tensor:
        self.sides += lr.shape[-2:]
        return bicubic(lr, self.scale) * self.weight


def _photo(height: int, width: int) -> np.ndarray:
    """Smooth, with edges of full contrast and noise."""
    rng = np.random.default_rng(0)
    smooth = imresize(rng.integers(0, 256, (-(-height // 8), -(-width // 8), 3), np.uint8), 8)[:height, :width]
    return np.clip(smooth.astype(int) + rng.integers(-9, 10, smooth.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "scale"), [("quicksrnet_small", 1.5), ("quicksrnet_small", 2), ("quicksrnet_medium", 3)]
)
def test_a_shipped_net_makes_the_same_bytes_in_tiles(name: str, scale: float) -> None:
    net, lr = load(name, scale=scale), _photo(75, 131)
    field = receptive_field(net)
    assert field is not None and field > 6
    for side in (32, 33):
        np.testing.assert_array_equal(upscale_tiled(upscaler(net), lr, field=field, side=side), upscaler(net)(lr))


def test_without_the_overlap_seams_would_be_seen() -> None:
    net, lr = load("quicksrnet_small", scale=2), _photo(64, 64)
    assert (upscale_tiled(upscaler(net), lr, field=0, side=32) != upscaler(net)(lr)).any()


@pytest.mark.parametrize(("scale", "multiple"), [(2, 1), (1.5, 2), (3, 4)])
def test_colours_of_a_y_net_meet_at_the_seams_too(scale: float, multiple: int) -> None:
    upscale, lr = upscaler(Cubic(scale, "y", multiple)), _photo(41, 53)
    np.testing.assert_array_equal(upscale_tiled(upscale, lr, field=5, side=16), upscale(lr))


def test_no_tile_is_larger_than_it_should_be() -> None:
    net = Cubic(2, "rgb")
    upscale_tiled(upscaler(net), _photo(70, 90), field=5, side=16)
    assert len(net.sides) == 2 * 5 * 6 and max(net.sides) == 16 + 2 * 5


def test_a_net_that_sees_everything_gets_everything() -> None:
    upscale, lr = upscaler(Cubic(2, "rgb")), _photo(40, 40)
    np.testing.assert_array_equal(upscale_tiled(upscale, lr, field=None, side=16), upscale(lr))
