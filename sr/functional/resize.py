"""Resize images by MATLAB's bicubic `imresize`: bit-exact for uint8 arrays, and with the same kernel for tensors."""

import functools
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import ceil
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sr.functional.exact_rows import exact_rows

ScaleRatio = int | float | Fraction
"""Output size divided by input size, positive."""


class Taps(NamedTuple):
    """Filter taps of a resize by p/q: the first input index and the weights of each output phase.

    Output `p*k + r` is `sum over t of weight[r, t] / total[r] * input[start[r] + q*k + t]`. The weights are integers
    stored as float64, so a weighted sum of bytes is exact and does not depend on the order of summation.
    """

    start: np.ndarray  # (p,) integers, may be negative
    weight: np.ndarray  # (p, taps) integers
    total: np.ndarray  # (p,) sums of the weights


def as_ratio(scale: ScaleRatio) -> Fraction:
    """Convert a scale to an exact fraction of small integers (0.3333333333333333 becomes 1/3, 1.5 becomes 3/2).

    Args:
        scale: Output size / input size, positive.

    Returns:
        The fraction p/q with q <= 10000 that equals `scale` to 1e-9.

    Raises:
        ValueError: If the scale is not positive, or is no such fraction.

    Example:
        >>> as_ratio(1 / 1.5)
        Fraction(2, 3)
    """
    if isinstance(scale, Fraction):
        ratio = scale
    else:
        ratio = Fraction(scale).limit_denominator(10_000)
        if abs(float(ratio) - scale) > 1e-9 * abs(scale):
            raise ValueError(
                f"scale must be a ratio of integers with a denominator up to 10000, got {scale!r}; "
                "give fractions.Fraction(output_size, input_size) instead"
            )
    if ratio <= 0:
        raise ValueError(f"scale must be positive, got {scale!r}")
    return ratio


def _cubic(a: np.ndarray, b: int) -> np.ndarray:
    """Evaluate Keys' cubic kernel (parameter -1/2) at a/b, times 2 b^3, in integers.

    |x| <= 1: 3/2 |x|^3 - 5/2 |x|^2 + 1; 1 < |x| < 2: -1/2 |x|^3 + 5/2 |x|^2 - 4 |x| + 2; 0 beyond.
    """
    a = abs(a)
    inner = 3 * a**3 - 5 * b * a**2 + 2 * b**3
    outer = -(a**3) + 5 * b * a**2 - 8 * b**2 * a + 4 * b**3
    return np.where(a <= b, inner, np.where(a < 2 * b, outer, 0))


@functools.lru_cache(maxsize=64)
def taps(ratio: Fraction) -> Taps:
    """Compute the filter taps of a scale; for downscaling the kernel is widened by 1/scale (antialiasing).

    Args:
        ratio: Scale p/q, positive.

    Returns:
        The taps of p output phases.

    Source: the documented behaviour of MATLAB's `imresize(image, scale, "bicubic")`; Keys, "Cubic convolution
    interpolation for digital image processing", 1981.

    Example:
        >>> taps(Fraction(2)).weight.tolist()
        [[-3.0, 29.0, 111.0, -9.0], [-9.0, 111.0, 29.0, -3.0]]
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
    """Mirror indices outside [0, size) at the borders, which repeats the border pixel: ... 1 0 | 0 1 2 ..."""
    index = index % (2 * size)
    return np.minimum(index, 2 * size - 1 - index)


def _resize_rows(image: np.ndarray, ratio: Fraction, finish: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Resize along the first axis, (H, ...) to (ceil(H*ratio), ...), in the dtype that `finish` returns."""
    size, out_size = image.shape[0], ceil(image.shape[0] * ratio)
    start, weight, total = taps(ratio)
    row = np.arange(out_size)
    first = start[row % len(start)] + row // len(start) * ratio.denominator
    before, after = -min(0, int(first[0])), max(size, int(first[-1]) + weight.shape[1])
    # float32 represents every integer up to 2^24, so the sums below are exact in it, at half the memory traffic.
    exact = image.dtype == np.uint8 and 255 * abs(weight).sum(axis=1).max() < 2**24
    work: Any = np.float32 if exact else np.float64
    flat = image.reshape(size, -1).astype(work)
    padded = flat[_mirrored(np.arange(-before, after), size)] if before or after > size else flat
    weights, totals = weight.astype(work), total.astype(work)
    if exact:
        out = exact_rows(padded, first + before, ratio, weights, totals, finish)
    else:
        rows = [(i % len(start), j) for i, j in enumerate(first + before)]
        out = np.stack([finish(weights[r] @ padded[j : j + weight.shape[1]] / totals[r]) for r, j in rows])
    return out.reshape(out_size, *image.shape[1:])


def _to_byte(value: np.ndarray) -> np.ndarray:
    """Round half up and clip to uint8."""
    return np.floor(value + 0.5).clip(0, 255).astype(np.uint8)


def imresize(image: np.ndarray, scale: ScaleRatio) -> np.ndarray:
    """Resize an image as MATLAB's `imresize(image, scale)` does: bicubic, antialiased when downscaling.

    Bytes are rounded half up after each of the two passes, the vertical one first, as MATLAB does. Floats are neither
    rounded nor clipped. Beyond the border the image is mirrored, so the border pixel is repeated.

    Args:
        image: (H, W) or (H, W, C), uint8 or float of any range.
        scale: Output size / input size.

    Returns:
        (ceil(H*scale), ceil(W*scale)[, C]) of the same dtype.

    Raises:
        ValueError: If the image is neither uint8 nor float, has other axes or is empty, or if the scale is invalid.

    Example:
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


def crop_to_multiple(image: np.ndarray, scale: ScaleRatio) -> np.ndarray:
    """Crop an HR image at the bottom and the right so that the size of its LR image is an integer.

    Args:
        image: (H, W) or (H, W, C).
        scale: Upscaling factor p/q; height and width become multiples of p (3 for x1.5).

    Returns:
        The cropped image, a view.

    Raises:
        ValueError: If no pixel is left.

    Example:
        >>> crop_to_multiple(np.zeros((10, 11)), 1.5).shape
        (9, 9)
    """
    multiple = as_ratio(scale).numerator
    height, width = (size // multiple * multiple for size in image.shape[:2])
    if not height or not width:
        raise ValueError(f"an image of {image.shape[0]}x{image.shape[1]} pixels is too small for scale {scale}")
    return image[:height, :width]


def downscale(hr: np.ndarray, scale: ScaleRatio) -> np.ndarray:
    """Make the LR image of an HR image: crop to a multiple, then `imresize` by 1/scale.

    Args:
        hr: (H, W) or (H, W, C), uint8 or float.
        scale: Upscaling factor from LR to HR.

    Returns:
        (h, w[, C]) of the same dtype.

    Example:
        >>> downscale(np.zeros((10, 11)), 1.5).shape
        (6, 6)
    """
    return imresize(crop_to_multiple(hr, scale), 1 / as_ratio(scale))


def bicubic(images: Tensor, scale: ScaleRatio) -> Tensor:
    """Resize a batch with the kernel and borders of `imresize`, differentiably, without rounding or clipping.

    Args:
        images: (N, C, H, W) floating point, any range.
        scale: Output size / input size.

    Returns:
        (N, C, ceil(H*scale), ceil(W*scale)).

    Example:
        >>> bicubic(torch.tensor([[[[0.0, 0.0, 1.0, 1.0]]]]), 0.5)
        tensor([[[[0.0547, 0.9453]]]])
    """
    ratio = as_ratio(scale)
    return _resize_height(_resize_height(images, ratio).mT, ratio).mT.contiguous()


def _resize_height(images: Tensor, ratio: Fraction) -> Tensor:
    """Resize (N, C, H, W) to (N, C, ceil(H*ratio), W): one weighted sum of strided slices per phase, interleaved.

    Slices are several times faster than a convolution with one channel, and a GPU never rounds them to TF32.
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
    """Return the sum of weight * term, skipping zero weights."""
    used = [(term, weight) for term, weight in zip(terms, weights, strict=True) if weight]
    (term, weight), *rest = used
    total = term * weight
    for term, weight in rest:
        total.add_(term, alpha=weight)
    return total
