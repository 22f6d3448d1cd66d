"""Convert between RGB and YCbCr (BT.601, limited range, as MATLAB) and round images to bytes."""

import numpy as np
import torch
from torch import Tensor

# MATLAB's rgb2ycbcr for R, G, B in [0, 1], on the scale of bytes: Y = 16 + 65.481 R + 128.553 G + 24.966 B, and so on.
# Each row sums to the range of its channel: 219 for Y (16 to 235), 0 for Cb and Cr (a grey pixel gives 128).
_FROM_RGB = (
    (65.481, 128.553, 24.966),
    (-37.797, -74.203, 112.0),
    (112.0, -93.786, -18.214),
)
_OFFSET = (16.0, 128.0, 128.0)
_ROWS = 256


def _check(images: Tensor, what: str) -> None:
    if images.ndim < 3 or images.shape[-3] != 3 or not images.is_floating_point():
        raise ValueError(
            f"{what} needs floating point images of shape (..., 3, H, W) in [0, 1], "
            f"got {tuple(images.shape)} of {images.dtype}; divide bytes by 255 first"
        )


def rgb_to_ycbcr(rgb: Tensor) -> Tensor:
    """Convert RGB to YCbCr (BT.601, limited range) without rounding.

    Args:
        rgb: (..., 3, H, W) in [0, 1].

    Returns:
        (..., 3, H, W): Y in [16/255, 235/255], Cb and Cr in [16/255, 240/255].

    Raises:
        ValueError: If the images are not floating point or do not have three channels.

    Source: ITU-R BT.601; the coefficients of MATLAB's `rgb2ycbcr`, which published tables use.

    Example:
        >>> (rgb_to_ycbcr(torch.ones(3, 1, 1)) * 255).flatten().round(decimals=3)
        tensor([235., 128., 128.])
    """
    _check(rgb, "rgb_to_ycbcr")
    matrix = rgb.new_tensor(_FROM_RGB) / 255
    offset = rgb.new_tensor(_OFFSET).view(3, 1, 1) / 255
    return torch.einsum("ij,...jhw->...ihw", matrix, rgb) + offset


def rgb_to_y(rgb: Tensor) -> Tensor:
    """Return the luma (BT.601, limited range) of RGB images without rounding: channel Y of `rgb_to_ycbcr`.

    Y = (16 + 65.481 R + 128.553 G + 24.966 B) / 255.

    Args:
        rgb: (..., 3, H, W) in [0, 1].

    Returns:
        (..., 1, H, W) in [16/255, 235/255].

    Raises:
        ValueError: If the images are not floating point or do not have three channels.

    Example:
        >>> round((rgb_to_y(torch.tensor([1.0, 0.0, 0.0]).view(3, 1, 1)) * 255).item(), 3)
        81.481
    """
    _check(rgb, "rgb_to_y")
    red, green, blue = rgb.split(1, dim=-3)
    r, g, b = _FROM_RGB[0]
    return (r * red + g * green + b * blue + _OFFSET[0]) / 255


def image_luma(image: np.ndarray) -> np.ndarray:
    """Return the luma (BT.601, limited range) of an image on the scale of bytes, without rounding.

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (H, W) float64 in [16, 235].

    Example:
        >>> image_luma(np.full((1, 1, 3), 255, np.uint8)).round(3)
        array([[235.]])
    """
    y = np.empty(image.shape[:2])
    for top in range(0, len(image), _ROWS):  # floats of all colours of a large image would take 24 bytes a pixel
        strip = torch.from_numpy(np.ascontiguousarray(image[top : top + _ROWS])).movedim(-1, 0).double() / 255
        y[top : top + _ROWS] = rgb_to_y(strip)[0].numpy() * 255
    return y


def ycbcr_to_rgb(ycbcr: Tensor) -> Tensor:
    """Convert YCbCr to RGB without clipping; the inverse of `rgb_to_ycbcr`.

    Args:
        ycbcr: (..., 3, H, W) in the ranges that `rgb_to_ycbcr` returns.

    Returns:
        (..., 3, H, W): RGB; outside [0, 1] where the YCbCr triple is not a displayable color.

    Raises:
        ValueError: If the images are not floating point or do not have three channels.

    Example:
        >>> ycbcr_to_rgb(torch.tensor([235.0, 128.0, 128.0]).view(3, 1, 1) / 255).flatten().round(decimals=4)
        tensor([1., 1., 1.])
    """
    _check(ycbcr, "ycbcr_to_rgb")
    matrix = torch.tensor(_FROM_RGB, dtype=torch.float64).div(255).inverse().to(ycbcr)
    offset = ycbcr.new_tensor(_OFFSET).view(3, 1, 1) / 255
    return torch.einsum("ij,...jhw->...ihw", matrix, ycbcr - offset)


def to_uint8(images: Tensor) -> Tensor:
    """Clip images to [0, 1] and round them half up to bytes, as saving an image does.

    Args:
        images: Any shape, floating point, finite.

    Returns:
        The same shape, uint8 in [0, 255].

    Raises:
        ValueError: If a value is NaN or infinite; rounding to a byte would hide it.

    Example:
        >>> to_uint8(torch.tensor([-1.0, 0.5, 2.0]))
        tensor([  0, 128, 255], dtype=torch.uint8)
    """
    return to_whole_numbers(images, 255)


def to_whole_numbers(images: Tensor, white: int) -> Tensor:
    """Clip images to [0, 1] and round them half up to integers in [0, white].

    Args:
        images: Any shape, floating point, finite.
        white: 255 for uint8, 65535 for uint16.

    Returns:
        The same shape, uint8 or uint16.

    Raises:
        ValueError: If a value is NaN or infinite; rounding would hide it.

    Example:
        >>> to_whole_numbers(torch.tensor([-1.0, 0.5, 2.0]), 65535)
        tensor([    0, 32768, 65535], dtype=torch.uint16)
    """
    if not images.isfinite().all():
        count = int((~images.isfinite()).sum())
        raise ValueError(f"{count} of {images.numel()} pixels are not finite; the net that made them has diverged")
    dtype = torch.uint8 if white == 255 else torch.uint16
    return images.float().clamp(0, 1).mul(white).add(0.5).floor().to(dtype)
