"""Second-order degradation of Real-ESRGAN (Wang et al., arXiv 2107.10833): blur, resize, noise and JPEG, twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from sr.data.degradation.blur_kernels import random_kernel, sinc_kernel
from sr.data.degradation.jpeg import jpeg_coded
from sr.data.degradation.step import draw_whole, interval
from sr.data.pairs import ImagePair
from sr.functional.color import to_uint8

_KEY = "data.degradation.steps.real_esrgan"
_BOUNDS = {"blur": (0.1, 10), "resize": (0.1, 4), "noise": (0, 100), "shot_noise": (0, 10), "quality": (1, 100)}
"""Settings of one order, and the smallest and largest value of each."""
MODES = ("area", "bilinear", "bicubic")
SECOND_BLUR, FINAL_SINC, GREY_NOISE, GAUSSIAN = 0.8, 0.8, 0.4, 0.5
"""Chances: a second blur, a sinc filter at the end, noise equal in all channels, Gaussian instead of Poisson noise."""
DIRECTIONS = {"first": (0.2, 0.7, 0.1), "second": (0.3, 0.4, 0.3)}
"""Chances to enlarge, to shrink and to keep the size."""
LEAST_SIDE = 16
"""Smallest side between the steps, so that a small image keeps some content; the result has the size of LR."""


@dataclass(frozen=True, kw_only=True)
class RealEsrgan:
    """Degrade the HR image twice by blur, resize, noise and JPEG, and end at the size of the LR image.

    Args:
        first: Ranges of the first order: `blur` (standard deviations in pixels), `resize` (factors), `noise` (Gaussian,
            in levels), `shot_noise` (factor of Poisson noise), `quality` (of JPEG).
        second: Those of the second order.

    Raises:
        ValueError: If a range is missing, unknown or invalid.

    Source: arXiv 2107.10833, section 3; ranges and chances of xinntao/Real-ESRGAN, train_realesrgan_x4plus.yml.
    """

    first: Mapping[str, Sequence[float]]
    second: Mapping[str, Sequence[float]]
    from_hr = True

    def __post_init__(self) -> None:
        for order in DIRECTIONS:
            given = getattr(self, order)
            if {*given} != {*_BOUNDS}:
                raise ValueError(f"{_KEY}.{order} has {', '.join(_BOUNDS)}, got {', '.join(given)}")
            for name, (least, most) in _BOUNDS.items():
                interval(f"{_KEY}.{order}.{name}", given[name], least=least, most=most)

    def check(self) -> None:
        """Need nothing: kornia and Pillow are always there."""

    def apply(self, pair: ImagePair, scale: Fraction, draw: np.random.Generator) -> np.ndarray:
        """See `Step.apply`."""
        size = pair.lr.shape[0], pair.lr.shape[1]
        image = torch.from_numpy(pair.hr.transpose(2, 0, 1).astype(np.float32))[None] / 255
        image = _order(image, self.first, "first", image.shape[2:], draw)
        blurs = draw.random() < SECOND_BLUR
        image = _order(image, self.second, "second", size, draw, blurs=blurs)
        filters, first = draw.random() < FINAL_SINC, draw.random() < 0.5
        if first:  # resize and filter, then JPEG; else JPEG first
            return _coded(_ended(image, size, filters, draw), self.second, draw)
        return _bytes(_ended(_floats(_coded(image, self.second, draw)), size, filters, draw))


def _order(
    image: Tensor,
    ranges: Mapping[str, Any],
    order: str,
    base: Sequence[int],
    draw: np.random.Generator,
    blurs: bool = True,
) -> Tensor:
    """Blur, resize to a factor of `base` and add noise; the first order compresses by JPEG as well."""
    if blurs:
        image = _filtered(image, random_kernel(draw, ranges["blur"]))
    low, high = ranges["resize"]
    direction = int(draw.choice(3, p=DIRECTIONS[order]))
    factor = (draw.uniform(1, max(1, high)), draw.uniform(min(1, low), 1), 1.0)[direction]
    image = _resized(image, [max(LEAST_SIDE, round(side * factor)) for side in base], draw)
    image = _noisy(image, ranges, draw).clamp(0, 1)
    return _floats(_coded(image, ranges, draw)) if order == "first" else image


def _ended(image: Tensor, size: Sequence[int], filters: bool, draw: np.random.Generator) -> Tensor:
    image = _resized(image, size, draw)
    return (_filtered(image, sinc_kernel(draw)) if filters else image).clamp(0, 1)


def _filtered(image: Tensor, kernel: np.ndarray) -> Tensor:
    from kornia.filters import filter2d

    return filter2d(image, torch.from_numpy(kernel)[None], border_type="replicate")


def _resized(image: Tensor, size: Sequence[int], draw: np.random.Generator) -> Tensor:
    mode = str(draw.choice(MODES))
    return interpolate(image, size=tuple(size), mode=mode) if [*image.shape[2:]] != [*size] else image


def _noisy(image: Tensor, ranges: Mapping[str, Any], draw: np.random.Generator) -> Tensor:
    shape = (1, 1 if draw.random() < GREY_NOISE else 3, *image.shape[2:])
    if draw.random() < GAUSSIAN:
        sigma = draw.uniform(*ranges["noise"]) / 255
        return image + torch.from_numpy(draw.standard_normal(shape, np.float32)) * sigma
    # As Poisson noise of counts up to 255, multiplied by the drawn strength.
    rate = (image.clamp(0, 1).mean(1, keepdim=True) if shape[1] == 1 else image.clamp(0, 1)).numpy() * 255
    shot = torch.from_numpy((draw.poisson(rate) - rate).astype(np.float32) / 255)
    return image + shot * draw.uniform(*ranges["shot_noise"])


def _coded(image: Tensor, ranges: Mapping[str, Any], draw: np.random.Generator) -> np.ndarray:
    return jpeg_coded(_bytes(image), draw_whole(draw, ranges["quality"]))


def _bytes(image: Tensor) -> np.ndarray:
    return np.ascontiguousarray(to_uint8(image)[0].permute(1, 2, 0).numpy())


def _floats(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32))[None] / 255
