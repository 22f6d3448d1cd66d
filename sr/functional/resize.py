"""Bicubic resizing as MATLAB's `imresize` does it: exact on the host for uint8, and on tensors with the same kernel."""

import functools
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

Scale = int | float | Fraction


class Taps(NamedTuple):
    """Which inputs make an output, and with what weights, for a scale of p/q.

    Output `p*k + r` is `sum over t of weight[r, t] / total[r] * input[start[r] + q*k + t]`. The weights are whole
    numbers (kept as float64), so a weighted sum of bytes is exact and does not depend on the order of summation.
    """

    start: np.ndarray  # (p,) whole numbers, may be negative
    weight: np.ndarray  # (p, taps) whole numbers
    total: np.ndarray  # (p,) sums of the weights


def as_ratio(scale: Scale) -> Fraction:
    """Read a scale as the ratio of small whole numbers that it stands for (0.3333333333333333 is 1/3, 1.5 is 3/2).

    Args:
        scale: output size / input size, positive.

    Raises:
        ValueError: if the scale is not positive, or is not a ratio p/q with q <= 10000 (to 1e-9).

    >>> as_ratio(1 / 1.5)
    Fraction(2, 3)
    """
    if isinstance(scale, Fraction):
        ratio = scale
    else:
        ratio = Fraction(scale).limit_denominator(10_000)
        if abs(float(ratio) - scale) > 1e-9 * abs(scale):
            raise ValueError(
                f"scale must be a ratio of whole numbers with a denominator up to 10000, got {scale!r}; "
                "give fractions.Fraction(output_size, input_size) instead"
            )
    if ratio <= 0:
        raise ValueError(f"scale must be positive, got {scale!r}")
    return ratio


def _cubic(a: np.ndarray, b: int) -> np.ndarray:
    """Keys' cubic with parameter -1/2 at a/b, times 2 b^3: whole numbers.

    |x| <= 1: 3/2 |x|^3 - 5/2 |x|^2 + 1; 1 < |x| < 2: -1/2 |x|^3 + 5/2 |x|^2 - 4 |x| + 2; 0 beyond.
    """
    a = abs(a)
    inner = 3 * a**3 - 5 * b * a**2 + 2 * b**3
    outer = -(a**3) + 5 * b * a**2 - 8 * b**2 * a + 4 * b**3
    return np.where(a <= b, inner, np.where(a < 2 * b, outer, 0))


@functools.lru_cache(maxsize=64)
def taps(ratio: Fraction) -> Taps:
    """Work out the taps of a scale; when it shrinks, the kernel is widened by 1/scale (antialiasing).

    Args:
        ratio: scale p/q, positive.

    Source: the documented behaviour of MATLAB's `imresize(image, scale, "bicubic")`; Keys, "Cubic convolution
        interpolation for digital image processing", 1981.
    """
    p, q = ratio.numerator, ratio.denominator
    # Pixel centres: output r looks at input u = (r + 1/2) q/p - 1/2 = ((2r + 1) q - p) / 2p. The distance to input j,
    # in units of the kernel's own width, is (u - j) min(1, p/q) = ((2r + 1) q - p - 2pj) / (2 max(p, q)).
    numerator, b = (2 * np.arange(p) + 1) * q - p, 2 * max(p, q)
    start = (numerator - 2 * b) // (2 * p) + 1  # the first j nearer than two kernel units
    num_taps = ceil(Fraction(2 * b, p))
    j = start[:, None] + np.arange(num_taps)
    weight = _cubic(numerator[:, None] - 2 * p * j, b)
    weight //= np.gcd.reduce(weight, axis=1)[:, None]
    return Taps(start, weight.astype(np.float64), weight.sum(axis=1).astype(np.float64))


def _mirrored(index: np.ndarray, size: int) -> np.ndarray:
    """Fold indices outside [0, size) back, the border pixel repeated: ... 1 0 | 0 1 2 ... as often as needed."""
    index = index % (2 * size)
    return np.minimum(index, 2 * size - 1 - index)


def _resize_rows(image: np.ndarray, ratio: Fraction, finish: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Resize along the first axis: (H, ...) -> (ceil(H*ratio), ...) in whatever dtype `finish` returns."""
    size, out_size = image.shape[0], ceil(image.shape[0] * ratio)
    start, weight, total = taps(ratio)
    row = np.arange(out_size)
    first = start[row % len(start)] + row // len(start) * ratio.denominator
    before, after = -min(0, int(first[0])), max(size, int(first[-1]) + weight.shape[1])
    # float32 holds every whole number up to 2^24: then the sums below are exact in it, at half the memory traffic.
    exact = image.dtype == np.uint8 and 255 * abs(weight).sum(axis=1).max() < 2**24
    work: Any = np.float32 if exact else np.float64
    flat = image.reshape(size, -1).astype(work)
    padded = flat[_mirrored(np.arange(-before, after), size)] if before or after > size else flat
    weights, totals = weight.astype(work), total.astype(work)
    out: list[np.ndarray] = []
    for i, j in enumerate(first + before):
        r = i % len(start)
        out.append(finish(weights[r] @ padded[j : j + weight.shape[1]] / totals[r]))
    return np.stack(out).reshape(out_size, *image.shape[1:])


def _to_byte(value: np.ndarray) -> np.ndarray:
    """Round half up and clip to a byte."""
    return np.floor(value + 0.5).clip(0, 255).astype(np.uint8)


def imresize(image: np.ndarray, scale: Scale) -> np.ndarray:
    """Resize an image as MATLAB's `imresize(image, scale)` does (bicubic, antialiased when it shrinks).

    Bytes are rounded half up after each of the two passes, vertical first, which reproduces MATLAB bit for bit; floats
    are not rounded, nor clipped. Beyond the border the image is mirrored, the border pixel repeated.

    Args:
        image: (H, W) or (H, W, C), uint8 or float of any range.
        scale: output size / input size.

    Returns:
        (ceil(H*scale), ceil(W*scale)[, C]) of the image's dtype.

    Raises:
        ValueError: if the image is neither uint8 nor float, has other axes or is empty, or the scale is bad.

    >>> imresize(np.array([[0, 0, 255, 255]], np.uint8), 2)[0]
    array([  0,   0,   0,  52, 203, 255, 255, 255], dtype=uint8)
    """
    if image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(f"imresize needs an image of shape (H, W) or (H, W, C), got {image.shape}")
    if image.dtype != np.uint8 and not np.issubdtype(image.dtype, np.floating):
        raise ValueError(f"imresize needs uint8 or floating point pixels, got {image.dtype}; convert the image first")
    ratio = as_ratio(scale)
    dtype = image.dtype
    finish = _to_byte if dtype == np.uint8 else functools.partial(np.asarray, dtype=dtype)
    tall = _resize_rows(image, ratio, finish)
    wide = _resize_rows(np.ascontiguousarray(tall.swapaxes(0, 1)), ratio, finish)
    return np.ascontiguousarray(wide.swapaxes(0, 1))


def crop_to_multiple(image: np.ndarray, scale: Scale) -> np.ndarray:
    """Crop the bottom and the right of an HR image so that its LR image has whole numbers of pixels.

    Args:
        image: (H, W) or (H, W, C).
        scale: upscaling factor; p/q asks for multiples of p (3 for x1.5).

    Raises:
        ValueError: if nothing is left.
    """
    multiple = as_ratio(scale).numerator
    height, width = (size // multiple * multiple for size in image.shape[:2])
    if not height or not width:
        raise ValueError(f"an image of {image.shape[0]}x{image.shape[1]} pixels is too small for scale {scale}")
    return image[:height, :width]


def downscale(hr: np.ndarray, scale: Scale) -> np.ndarray:
    """Make the LR image of an HR image: crop to a multiple, then `imresize` by 1/scale.

    Args:
        hr: (H, W) or (H, W, C), uint8 or float.
        scale: upscaling factor that leads back.
    """
    return imresize(crop_to_multiple(hr, scale), 1 / as_ratio(scale))


def bicubic(images: Tensor, scale: Scale) -> Tensor:
    """Resize a batch with the kernel and the borders of `imresize`, without rounding or clipping; differentiable.

    Args:
        images: (N, C, H, W) floating point, any range.
        scale: output size / input size.

    Returns:
        (N, C, ceil(H*scale), ceil(W*scale)).

    >>> bicubic(torch.tensor([[[[0.0, 0.0, 1.0, 1.0]]]]), 0.5)
    tensor([[[[0.0547, 0.9453]]]])
    """
    ratio = as_ratio(scale)
    return _resize_height(_resize_height(images, ratio).mT, ratio).mT.contiguous()


def _resize_height(images: Tensor, ratio: Fraction) -> Tensor:
    """(N, C, H, W) -> (N, C, ceil(H*ratio), W): a weighted sum of strided slices for each phase, then interleaved.

    Slices rather than a convolution: several times faster with one channel, and never rounded to TF32 on a GPU.
    """
    height = images.shape[2]
    out_height = ceil(height * ratio)
    start, weight, total = taps(ratio)
    num_steps, first = ceil(out_height / len(start)), int(start.min())
    reach = (num_steps - 1) * ratio.denominator + 1  # rows from the first to the last step of one tap
    index = _mirrored(np.arange(first, int(start.max()) + weight.shape[1] + reach - 1), height)
    padded = images.index_select(2, torch.from_numpy(index).to(images.device))
    phases = []
    for offset, taps_of_row in zip((start - first).tolist(), (weight / total[:, None]).tolist(), strict=True):
        shifted = (padded[:, :, offset + t :][:, :, : reach : ratio.denominator] for t in range(len(taps_of_row)))
        phases.append(_weighted_sum(shifted, taps_of_row))
    return torch.stack(phases, dim=3).flatten(2, 3)[:, :, :out_height]


def _weighted_sum(terms: Iterable[Tensor], weights: Sequence[float]) -> Tensor:
    """Sum of weight * term; zero weights cost nothing."""
    used = [(term, weight) for term, weight in zip(terms, weights, strict=True) if weight]
    (term, weight), *rest = used
    total = term * weight
    for term, weight in rest:
        total.add_(term, alpha=weight)
    return total
