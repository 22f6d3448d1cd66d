"""Random blur kernels of Real-ESRGAN: Gaussian, generalized Gaussian, plateau-shaped and sinc."""

from collections.abc import Sequence

import numpy as np
from scipy.special import j1

SIDES = (7, 9, 11, 13, 15, 17, 19, 21)
SINC_CHANCE = 0.1
SHAPES = {"gaussian": 0.7, "generalized": 0.15, "plateau": 0.15}
"""Chances of the shapes, the isotropic and the anisotropic form of each added up."""
ISOTROPIC = {"gaussian": 0.45 / 0.7, "generalized": 0.8, "plateau": 0.8}
"""Chance that a shape is isotropic."""
_EXPONENTS = {"gaussian": (1.0, 1.0), "generalized": (0.5, 4.0), "plateau": (1.0, 2.0)}


def random_kernel(draw: np.random.Generator, sigma: Sequence[float]) -> np.ndarray:
    """Draw a blur kernel.

    Args:
        draw: Source of random numbers.
        sigma: Range of the standard deviations in pixels.

    Returns:
        (k, k) float32 with the sum 1, k odd from 7 to 21.

    Source: arXiv 2107.10833, section 3.1; the chances are those of its published configuration.
    """
    if draw.random() < SINC_CHANCE:
        return sinc_kernel(draw)
    side = int(draw.choice(SIDES))
    shape = str(draw.choice([*SHAPES], p=[*SHAPES.values()]))
    first, second = draw.uniform(sigma[0], sigma[1], 2)
    second = first if draw.random() < ISOTROPIC[shape] else second
    return shaped_kernel(side, (first, second), draw.uniform(-np.pi, np.pi), shape, draw.uniform(*_EXPONENTS[shape]))


def shaped_kernel(side: int, sigma: Sequence[float], angle: float, shape: str, exponent: float) -> np.ndarray:
    """Return a rotated blur kernel.

    With q = (u / sigma_u)^2 + (v / sigma_v)^2 in rotated coordinates: exp(-q^b / 2), or 1 / (1 + q^b) for a plateau.

    Args:
        side: Odd number of pixels.
        sigma: Standard deviations along both axes, in pixels.
        angle: Of the first axis, in radians.
        shape: A key of `SHAPES`.
        exponent: b; 1 for a Gaussian.

    Example:
        >>> shaped_kernel(3, (1.0, 1.0), 0.0, "gaussian", 1.0).round(3).tolist()[1]
        [0.12399999797344208, 0.20399999618530273, 0.12399999797344208]
    """
    y, x = np.mgrid[:side, :side] - side // 2
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    q = ((u / sigma[0]) ** 2 + (v / sigma[1]) ** 2) ** exponent
    kernel = 1 / (1 + q) if shape == "plateau" else np.exp(-q / 2)
    return (kernel / kernel.sum()).astype(np.float32)


def sinc_kernel(draw: np.random.Generator) -> np.ndarray:
    """Draw a circular low-pass filter, which causes ringing.

    w J1(w r) / (2 pi r) with the cutoff frequency w in radians per pixel.
    """
    side = int(draw.choice(SIDES))
    cutoff = draw.uniform(np.pi / 3 if side < 13 else np.pi / 5, np.pi)
    y, x = np.mgrid[:side, :side] - side // 2
    radius = np.hypot(x, y)
    radius[side // 2, side // 2] = 1
    kernel = cutoff * j1(cutoff * radius) / (2 * np.pi * radius)
    kernel[side // 2, side // 2] = cutoff**2 / (4 * np.pi)
    return (kernel / kernel.sum()).astype(np.float32)
