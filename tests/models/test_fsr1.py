"""FSR 1.0 against a second writing of its formulas, one pixel at a time, and against what it is meant to do."""

import math

import numpy as np
import pytest
import torch

from sr.models.fsr1 import FSR1, easu, rcas
from sr.models.interpolation import Bicubic


class Slow:
    """EASU and RCAS for single pixels, in Python floats, as the shader steps through them."""

    def __init__(self, image: np.ndarray) -> None:
        self.image = image  # (H, W, 3)

    def texel(self, x: int, y: int) -> np.ndarray:
        height, width, _ = self.image.shape
        return self.image[min(max(y, 0), height - 1), min(max(x, 0), width - 1)]

    def luma(self, x: int, y: int) -> float:
        red, green, blue = self.texel(x, y)
        return blue * 0.5 + (red * 0.5 + green)

    def easu(self, ox: int, oy: int, scale: float) -> np.ndarray:
        px, py = (ox + 0.5) / scale - 0.5, (oy + 0.5) / scale - 0.5
        bx, by = math.floor(px), math.floor(py)
        px, py = px - bx, py - by
        dir_x = dir_y = length = 0.0
        for dx, dy, share in (
            (0, 0, (1 - px) * (1 - py)),
            (1, 0, px * (1 - py)),
            (0, 1, (1 - px) * py),
            (1, 1, px * py),
        ):
            x, y = bx + dx, by + dy
            up, left, here, right, down = (
                self.luma(x + i, y + j) for i, j in ((0, -1), (-1, 0), (0, 0), (1, 0), (0, 1))
            )
            for before, after, axis in ((left, right, "x"), (up, down, "y")):
                steep = max(abs(after - here), abs(here - before))
                ratio = min(abs(after - before) / steep, 1.0) if steep else 0.0
                length += share * ratio * ratio
                if axis == "x":
                    dir_x += share * (after - before)
                else:
                    dir_y += share * (after - before)
        norm = dir_x**2 + dir_y**2
        if norm < 1 / 32768:
            dir_x = 1.0
        else:
            dir_x, dir_y = dir_x / math.sqrt(norm), dir_y / math.sqrt(norm)
        length = (length / 2) ** 2
        stretch = (dir_x**2 + dir_y**2) / max(abs(dir_x), abs(dir_y))
        scale_x, scale_y = 1 + (stretch - 1) * length, 1 - 0.5 * length
        lobe = 0.5 + (1 / 4 - 0.04 - 0.5) * length
        colour, total = np.zeros(3), 0.0
        for j in range(-1, 3):
            for i in range(-1, 3):
                if (i in (-1, 2)) and (j in (-1, 2)):
                    continue  # 12 taps: no corners
                vx = ((i - px) * dir_x + (j - py) * dir_y) * scale_x
                vy = (-(i - px) * dir_y + (j - py) * dir_x) * scale_y
                d2 = min(vx * vx + vy * vy, 1 / lobe)
                weight = (25 / 16 * (2 / 5 * d2 - 1) ** 2 - (25 / 16 - 1)) * (lobe * d2 - 1) ** 2
                colour += weight * self.texel(bx + i, by + j)
                total += weight
        near = np.array([self.texel(bx + i, by + j) for i in (0, 1) for j in (0, 1)])
        return np.clip(colour / total, near.min(0), near.max(0))

    def rcas(self, x: int, y: int, sharpness: float, denoise: bool) -> np.ndarray:
        here = self.texel(x, y)
        places = ((0, -1), (-1, 0), (1, 0), (0, 1))
        ring = np.array([self.texel(x + i, y + j) for i, j in places])
        low, high = ring.min(0), ring.max(0)
        hit_min = np.minimum(low, here) / (4 * high)
        hit_max = (1 - np.maximum(high, here)) / (4 * low - 4)
        lobe = max(-(0.25 - 1 / 16), min(np.maximum(-hit_min, hit_max).max(), 0.0)) * 2**-sharpness
        if denoise:
            lumas = [self.luma(x + i, y + j) for i, j in places]
            centre = self.luma(x, y)
            span = max(*lumas, centre) - min(*lumas, centre)
            lobe *= 1 - 0.5 * min(abs(sum(lumas) / 4 - centre) / span, 1)
        return (lobe * ring.sum(0) + here) / (4 * lobe + 1)


def pair(height: int = 7, width: int = 9) -> tuple[torch.Tensor, np.ndarray]:
    """The same image for both: (1, 3, H, W) float64, and (H, W, 3)."""
    pixels = np.random.default_rng(3).random((height, width, 3))
    pixels[:, width // 2 :] *= 0.3  # an edge
    return torch.from_numpy(pixels).permute(2, 0, 1)[None], pixels


@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
def test_easu_equals_the_formulas_pixel_by_pixel(scale: float) -> None:
    tensor, pixels = pair(6, 8)
    sr = easu(tensor, scale)[0].permute(1, 2, 0).numpy()
    slow = Slow(pixels)
    expected = [[slow.easu(x, y, scale) for x in range(sr.shape[1])] for y in range(sr.shape[0])]
    np.testing.assert_allclose(sr, expected, atol=1e-9)


@pytest.mark.parametrize("denoise", [False, True])
@pytest.mark.parametrize("sharpness", [0.0, 0.25, 2.0])
def test_rcas_equals_the_formulas_pixel_by_pixel(sharpness: float, denoise: bool) -> None:
    tensor, pixels = pair()
    got = rcas(tensor, sharpness=sharpness, denoise=denoise)[0].permute(1, 2, 0).numpy()
    slow = Slow(pixels)
    expected = [[slow.rcas(x, y, sharpness, denoise) for x in range(9)] for y in range(7)]
    np.testing.assert_allclose(got, expected, atol=1e-9)


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_a_constant_image_stays_constant(value: float) -> None:
    sr = FSR1(scale=2, sharpness=0.0, denoise=True)(torch.full((1, 3, 6, 6), value))
    torch.testing.assert_close(sr, torch.full((1, 3, 12, 12), value))


@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
def test_values_stay_in_range_even_at_full_contrast(scale: float) -> None:
    lr = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)).round()
    sr = FSR1(scale=scale, sharpness=0.0, denoise=False)(lr)
    assert sr.isfinite().all()
    assert sr.min() >= -1e-6 and sr.max() <= 1 + 1e-6


def test_edges_are_sharper_than_bicubic_and_without_its_overshoot() -> None:
    ramp = torch.full((16, 16), 0.2)
    ramp[:, 8:] = 0.8
    for edge in (ramp, ramp.T):
        lr = edge.expand(1, 3, 16, 16).contiguous()
        sharp, smooth = FSR1(scale=2, sharpness=0.25, denoise=False)(lr), Bicubic(scale=2)(lr)
        steepest = [max(s.diff(dim=2).abs().max(), s.diff(dim=3).abs().max()) for s in (sharp, smooth)]
        assert steepest[0] > steepest[1]
        assert smooth.max() > 0.8 + 1e-3 and easu(lr, 2).max() <= 0.8


def test_diagonal_edges_have_fewer_steps_than_bicubic() -> None:
    y, x = torch.meshgrid(torch.arange(48), torch.arange(48), indexing="ij")
    hr = (x > 0.6 * y + 8).float()
    lr = hr.view(1, 1, 24, 2, 24, 2).mean((3, 5)).expand(1, 3, 24, 24)
    errors = [(sr - hr).square().mean() for sr in (easu(lr, 2), Bicubic(scale=2)(lr).clamp(0, 1))]
    assert errors[0] < errors[1]


def test_sharpness_counts_stops() -> None:
    tensor, _ = pair()
    change = [(rcas(tensor, sharpness=s, denoise=False) - tensor).abs().mean() for s in (0.0, 1.0, 2.0, 20.0)]
    assert change[0] > change[1] > change[2] > change[3]
    assert change[3] < 1e-5


def test_nothing_to_train_and_clear_errors() -> None:
    assert not FSR1(scale=2, sharpness=0.25, denoise=False).state_dict()
    with pytest.raises(ValueError, match=r"FSR1 cannot upscale by 8: its scales are 1.5, 2, 3, 4"):
        FSR1(scale=8, sharpness=0.25, denoise=False)
    with pytest.raises(ValueError, match=r"FSR1 needs sharpness of at least 0 stops .* got -1"):
        FSR1(scale=2, sharpness=-1, denoise=False)
