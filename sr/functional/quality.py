"""Compute PSNR and SSIM of image batches, one value for each image."""

from collections.abc import Callable, Iterator
from math import exp

import torch
from torch import Tensor

_WINDOW, _SIGMA, _K1, _K2 = 11, 1.5, 0.01, 0.03  # Wang et al. 2004, section III-C
_ROWS, _ROWS_PX = 128, 2**18
"""Rows of a strip of SSIM, and its pixels in an image that is wider than 2048: the memory of a strip stays bounded."""
_STRIP_PX = 2**20
"""Pixels of a strip that is converted to floats at once."""


def _check(sr: Tensor, hr: Tensor, data_range: float) -> None:
    if sr.ndim != 4 or sr.shape != hr.shape:
        raise ValueError(f"give two batches (N, C, H, W) of one shape, got {tuple(sr.shape)} and {tuple(hr.shape)}")
    if not (sr.is_floating_point() and hr.is_floating_point()):
        raise ValueError(f"give floating point images, got {sr.dtype} and {hr.dtype}; convert them first")
    if data_range <= 0:
        raise ValueError(f"data_range must be positive, got {data_range}")


def _blur(images: Tensor, axis: int) -> Tensor:
    """Blur along one axis with a Gaussian window, valid region; a sum of slices is many times faster than conv2d."""
    weights = [exp(-((i - _WINDOW // 2) ** 2) / (2 * _SIGMA**2)) for i in range(_WINDOW)]
    size = images.shape[axis] - _WINDOW + 1
    blurred = torch.zeros_like(images.narrow(axis, 0, size))
    for i, weight in enumerate(weights):
        blurred.add_(images.narrow(axis, i, size), alpha=weight / sum(weights))
    return blurred


def psnr(sr: Tensor, hr: Tensor, data_range: float) -> Tensor:
    """Return the PSNR of each image in dB, over all its channels and pixels.

    PSNR = 10 log10(data_range^2 / MSE).

    Args:
        sr: Upscaled images, (N, C, H, W) floating point.
        hr: Reference images, same shape.
        data_range: Difference between white and black: 1 or 255.

    Returns:
        (N,) in dB; infinite where the images are equal.

    Raises:
        ValueError: If the shapes differ, the images are not floating point, or `data_range` is not positive.

    Example:
        >>> psnr(torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), 0.1), 1.0)
        tensor([20.])
    """
    _check(sr, hr, data_range)
    error = (sr - hr).square().mean(dim=(1, 2, 3))
    return 10 * torch.log10(data_range**2 / error)


def ssim(sr: Tensor, hr: Tensor, data_range: float) -> Tensor:
    """Return the structural similarity (SSIM) of each image.

    SSIM = (2 m_x m_y + c1) (2 s_xy + c2) / ((m_x^2 + m_y^2 + c1) (s_x^2 + s_y^2 + c2)), averaged over channels and over
    the valid region of a Gaussian window of 11x11 pixels with sigma 1.5. The m are local means, the s local population
    variances and covariance, c1 = (0.01 data_range)^2 and c2 = (0.03 data_range)^2.

    Args:
        sr: Upscaled images, (N, C, H, W) floating point, at least 11x11 pixels.
        hr: Reference images, same shape.
        data_range: Difference between white and black: 1 or 255.

    Returns:
        (N,) in [-1, 1]; 1 where the images are equal.

    Raises:
        ValueError: If the shapes differ, the images are smaller than 11x11 pixels or not floating point, or
            `data_range` is not positive.

    Source: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004.

    Example:
        >>> ssim(torch.zeros(1, 1, 11, 11), torch.ones(1, 1, 11, 11), 1.0)
        tensor([9.9990e-05])
    """
    _check(sr, hr, data_range)
    _check_window(sr)
    return _total_similarity(sr, hr, data_range) / _num_windows(sr)


def psnr_and_ssim(
    sr: Tensor, hr: Tensor, data_range: float, to_values: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Return `psnr` and `ssim` of images whose floats are made strip by strip, in bounded memory.

    The sums of the strips are added, so scores of large images differ from those in one piece by the rounding of sums
    in float64 (relative 1e-15).

    Args:
        sr: Upscaled images (N, C, H, W) of any type, at least 11x11 pixels.
        hr: Reference images, same shape.
        data_range: Difference between white and black of the values.
        to_values: Function from rows of images to the floats that are compared, pixel by pixel: (N, C', rows, W).

    Returns:
        PSNR in dB (N,) and SSIM (N,).

    Raises:
        ValueError: As `psnr` and `ssim`.

    Example:
        >>> images = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)
        >>> psnr_and_ssim(images, images, 255, torch.Tensor.double)
        (tensor([inf], dtype=torch.float64), tensor([1.], dtype=torch.float64))
    """
    _check_window(sr)
    errors, similarities, num_channels = [], [], 0
    for rows, num_new in _strips(*sr.shape[-2:]):
        a, b = (to_values(images[..., rows, :]) for images in (sr, hr))
        _check(a, b, data_range)
        num_channels = a.shape[1]
        errors.append((a[..., :num_new, :] - b[..., :num_new, :]).square_().sum(dim=(1, 2, 3)))
        similarities.append(_total_similarity(a, b, data_range))
    error, similarity = (torch.stack(parts).sum(0) for parts in (errors, similarities))
    mean = error / (num_channels * sr.shape[-2] * sr.shape[-1])
    return 10 * torch.log10(data_range**2 / mean), similarity / (num_channels * _num_windows(sr[:, :1]))


def _strips(height: int, width: int) -> Iterator[tuple[slice, int]]:
    """Yield rows that overlap as windows of SSIM do, and how many of them no later strip has."""
    overlap, rows = _WINDOW - 1, max(1, _STRIP_PX // width)
    for top in range(0, height - overlap, rows):
        bottom = min(top + rows, height - overlap)
        last = bottom == height - overlap
        yield slice(top, bottom + overlap), bottom - top + (overlap if last else 0)


def _check_window(images: Tensor) -> None:
    if min(images.shape[-2:]) < _WINDOW:
        raise ValueError(f"SSIM needs at least {_WINDOW}x{_WINDOW} pixels, got {images.shape[-2]}x{images.shape[-1]}")


def _num_windows(images: Tensor) -> int:
    return images.shape[1] * (images.shape[-2] - _WINDOW + 1) * (images.shape[-1] - _WINDOW + 1)


def _total_similarity(sr: Tensor, hr: Tensor, data_range: float) -> Tensor:
    """Sum of the similarity over all windows: (N,)."""
    num_rows = sr.shape[-2] - _WINDOW + 1
    step = min(_ROWS, max(1, _ROWS_PX // sr.shape[-1]))
    total = sr.new_zeros(len(sr))
    for top in range(0, num_rows, step):
        rows = min(step, num_rows - top) + _WINDOW - 1
        total += _similarity(sr.narrow(-2, top, rows), hr.narrow(-2, top, rows), data_range)
    return total


def _similarity(sr: Tensor, hr: Tensor, data_range: float) -> Tensor:
    """Sum of the similarity over the valid region of some rows: (N,)."""
    moments = torch.stack((sr, hr, sr * sr, hr * hr, sr * hr))
    a, b, aa, bb, ab = _blur(_blur(moments, axis=-2), axis=-1).flatten(2)
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    similarity = (2 * a * b + c1) * (2 * (ab - a * b) + c2)
    similarity /= (a * a + b * b + c1) * ((aa - a * a) + (bb - b * b) + c2)
    return similarity.sum(dim=1)
