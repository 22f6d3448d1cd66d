"""Tiles give the bytes of the whole picture, within the memory of a tile."""

import sys
from math import lcm

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sr.cost.receptive_field import receptive_field
from sr.evaluation import Upscaler, upscaler
from sr.evaluation.tiles import cuts, tile_strips
from sr.functional.resize import as_ratio, bicubic, imresize
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


def _tiled(upscale: Upscaler, lr: np.ndarray, field: int, side: int) -> np.ndarray:
    ratio = as_ratio(upscale.scale)
    period = lcm(upscale.size_multiple, ratio.denominator)
    return np.concatenate(list(tile_strips(upscale, lr, ratio=ratio, period=period, field=field, side=side)))


@pytest.mark.parametrize(
    ("name", "scale"), [("quicksrnet_small", 1.5), ("quicksrnet_small", 2), ("quicksrnet_medium", 3)]
)
def test_a_shipped_net_makes_the_same_bytes_in_tiles(name: str, scale: float) -> None:
    net, lr = load(name, scale=scale), _photo(75, 131)
    field = receptive_field(net)
    assert field is not None and field > 6
    for side in (32, 33):
        np.testing.assert_array_equal(_tiled(upscaler(net), lr, field, side), upscaler(net)(lr))


def test_without_the_overlap_seams_would_be_seen() -> None:
    net, lr = load("quicksrnet_medium", scale=2), _photo(64, 160)
    assert (_tiled(upscaler(net), lr, field=0, side=32) != upscaler(net)(lr)).any()


@pytest.mark.parametrize(("scale", "multiple"), [(2, 1), (1.5, 2), (3, 4)])
def test_colours_of_a_y_net_meet_at_the_seams_too(scale: float, multiple: int) -> None:
    upscale, lr = upscaler(Cubic(scale, "y", multiple)), _photo(41, 53)
    np.testing.assert_array_equal(_tiled(upscale, lr, field=5, side=16), upscale(lr))


def test_all_tiles_have_one_size_and_none_is_larger_than_it_should_be() -> None:
    net = Cubic(2, "rgb")
    _tiled(upscaler(net), _photo(70, 90), field=5, side=16)
    assert len(net.sides) == 2 * 5 * 6 and set(net.sides) == {14 + 2 * 5, 15 + 2 * 5}


@pytest.mark.parametrize("size", [1, 7, 511, 512, 513, 1040, 3001])
@pytest.mark.parametrize("period", [1, 2, 4, 6])
def test_cuts_cover_an_axis_once_with_their_overlap(size: int, period: int) -> None:
    overlap = 4 * period
    made = cuts(size, side=512, overlap=overlap, period=period)
    assert [cut.first for cut in made[1:]] == [cut.last for cut in made[:-1]]
    assert (made[0].first, made[-1].last) == (0, size)
    for cut in made:
        assert cut.start % period == cut.first % period == 0
        assert cut.start in (0, *range(cut.first - overlap + 1)) and cut.stop >= min(size, cut.last + overlap)
        assert cut.stop - cut.start <= 512 + period + 2 * overlap


@pytest.mark.parametrize("color", ["rgb", "y"])
def test_an_upscaler_cuts_only_large_images(color: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = Cubic(2, color)
    upscale, lr = upscaler(net), _photo(60, 70)
    whole, luma = upscale(lr), upscale.luma(lr[..., 0]) if color == "y" else None
    unrounded = upscale.unrounded_luma(lr)
    assert set(net.sides) == {60, 70}
    monkeypatch.setattr(sys.modules[Upscaler.__module__], "WHOLE_PX", 60 * 70 - 1)
    monkeypatch.setattr(tile_strips, "__kwdefaults__", {"side": 16})
    net.sides.clear()
    np.testing.assert_array_equal(upscale(lr), whole)
    np.testing.assert_allclose(upscale.unrounded_luma(lr), unrounded, atol=1e-4)
    assert max(net.sides) < 32
    if luma is not None:
        np.testing.assert_array_equal(upscale.luma(lr[..., 0]), luma)


class Mean(nn.Module):
    """A net that sees the whole image."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.color, self.size_multiple = 2, "rgb", 1
        self.sides: list[int] = []

    def forward(self, lr: Tensor) -> Tensor:
        self.sides += lr.shape[-2:]
        return bicubic(lr, 2) - lr.mean()


def test_a_net_that_sees_everything_gets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Mean()
    monkeypatch.setattr(sys.modules[Upscaler.__module__], "WHOLE_PX", 100)
    upscaler(net)(_photo(40, 41))
    assert net.sides == [40, 41]
