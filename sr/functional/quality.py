"""PSNR and SSIM of image batches, one value for each image."""

from math import exp

import torch
from torch import Tensor

_WINDOW, _SIGMA, _K1, _K2 = 11, 1.5, 0.01, 0.03  # Wang et al. 2004, section III-C


def _check(sr: Tensor, hr: Tensor, data_range: float) -> None:
    if sr.ndim != 4 or sr.shape != hr.shape:
        raise ValueError(f"two batches (N, C, H, W) of one shape are needed, got {tuple(sr.shape)}, {tuple(hr.shape)}")
    if not (sr.is_floating_point() and hr.is_floating_point()):
        raise ValueError(f"floating point images are needed, got {sr.dtype} and {hr.dtype}; convert them first")
    if data_range <= 0:
        raise ValueError(f"data_range must be positive, got {data_range}")


def _blur(images: Tensor, axis: int) -> Tensor:
    """Gaussian window along one axis, valid region; a sum of slices, many times faster here than a convolution."""
    weights = [exp(-((i - _WINDOW // 2) ** 2) / (2 * _SIGMA**2)) for i in range(_WINDOW)]
    size = images.shape[axis] - _WINDOW + 1
    blurred = torch.zeros_like(images.narrow(axis, 0, size))
    for i, weight in enumerate(weights):
        blurred.add_(images.narrow(axis, i, size), alpha=weight / sum(weights))
    return blurred


def psnr(sr: Tensor, hr: Tensor, data_range: float) -> Tensor:
    """Peak signal-to-noise ratio of each image, over all its channels and pixels.

    Args:
        sr: (N, C, H, W) floating point.
        hr: (N, C, H, W), the reference.
        data_range: distance between black and white: 1 or 255.

    Returns:
        (N,) in dB; infinite where the images are equal.

    Raises:
        ValueError: if the shapes differ, the images are not floating point, or data_range is not positive.

    >>> psnr(torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), 0.1), 1.0)
    tensor([20.])
    """
    _check(sr, hr, data_range)
    error = (sr - hr).square().mean(dim=(1, 2, 3))
    return 10 * torch.log10(data_range**2 / error)


def ssim(sr: Tensor, hr: Tensor, data_range: float) -> Tensor:
    """Structural similarity of each image: the mean over its channels and the valid region of the window.

    Gaussian window of 11x11 pixels with sigma 1.5, K 0.01 and 0.03, population covariance.

    Args:
        sr: (N, C, H, W) floating point, at least 11x11 pixels.
        hr: (N, C, H, W), the reference.
        data_range: distance between black and white: 1 or 255.

    Returns:
        (N,) in [-1, 1]; 1 where the images are equal.

    Raises:
        ValueError: if the shapes differ, the images are too small or not floating point, or data_range is not positive.

    Source: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004.

    >>> ssim(torch.zeros(1, 1, 11, 11), torch.ones(1, 1, 11, 11), 1.0)
    tensor([9.9990e-05])
    """
    _check(sr, hr, data_range)
    if min(sr.shape[-2:]) < _WINDOW:
        raise ValueError(f"SSIM needs at least {_WINDOW}x{_WINDOW} pixels, got {sr.shape[-2]}x{sr.shape[-1]}")
    moments = torch.stack((sr, hr, sr * sr, hr * hr, sr * hr))
    a, b, aa, bb, ab = _blur(_blur(moments, axis=-2), axis=-1).flatten(2)
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    similarity = (2 * a * b + c1) * (2 * (ab - a * b) + c2)
    similarity /= (a * a + b * b + c1) * ((aa - a * a) + (bb - b * b) + c2)
    return similarity.mean(dim=1)
