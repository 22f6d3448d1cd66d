"""NIQE: a no-reference image quality score; lower is closer to the statistics of natural photographs.

Source: Mittal, Soundararajan and Bovik, "Making a completely blind image quality analyzer", IEEE Signal Processing
Letters 20(3), 2013. Differences: luma is not rounded to bytes, and the half-size image is made by MATLAB's bicubic.
"""

from functools import cache
from math import gamma

import numpy as np

from sr.functional.resize import downscale

BLOCK_PX = 96  # pixels per side of a block at full size, section III
NUM_FEATURES = 36  # 18 at each of two sizes
_WINDOW, _SIGMA = 7, 7 / 6  # Gaussian window of the local mean and deviation, in pixels
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # neighbours: horizontal, vertical, both diagonals


def normalized(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the MSCN coefficients: subtract the local mean and divide by the local deviation plus 1.

    Args:
        y: Luma in [0, 255], (H, W) floating point.

    Returns:
        The coefficients and the local deviation, both (H, W). Beyond the border the last pixel is repeated.

    Example:
        >>> coefficients, deviation = normalized(np.full((9, 9), 70.0))
        >>> bool(np.abs(coefficients).max() < 1e-9 and np.abs(deviation).max() < 1e-3)
        True
    """
    mean = _blur(y)
    deviation = np.sqrt(np.abs(_blur(y * y) - mean * mean))
    return (y - mean) / (deviation + 1), deviation


def _blur(image: np.ndarray) -> np.ndarray:
    """Blur (H, W) with a Gaussian window of 7 x 7 pixels."""
    offsets = np.arange(_WINDOW) - _WINDOW // 2
    weights = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    weights /= weights.sum()
    for axis in (0, 1):
        pad = [(_WINDOW // 2, _WINDOW // 2) if each == axis else (0, 0) for each in (0, 1)]
        padded = np.pad(image, pad, mode="edge")
        size = image.shape[axis]
        image = sum(w * np.take(padded, range(i, i + size), axis=axis) for i, w in enumerate(weights))
    return image


@cache
def _shapes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return candidate shapes, their moment ratio (E|x|)^2 / E x^2, and their factor from deviation to scale."""
    shapes = np.arange(0.2, 10.0005, 0.001)
    one, two, three = (np.array([gamma(k / shape) for shape in shapes]) for k in (1, 2, 3))
    return shapes, two**2 / (one * three), np.sqrt(one / three)


def fit_generalized_gaussian(values: np.ndarray) -> np.ndarray:
    """Fit an asymmetric generalized Gaussian distribution (AGGD) to each row by matching moments.

    Args:
        values: (N, K), N samples of K values.

    Returns:
        (N, 4): shape, mean, left scale and right scale. A Gaussian has shape 2, a Laplacian 1.

    Source: Lasmar, Stitou and Berthoumieu, "Multiscale skewed heavy tailed model for texture analysis", 2009.

    Example:
        >>> samples = np.random.default_rng(0).normal(size=(1, 10_000))
        >>> float(fit_generalized_gaussian(samples)[0, 0].round(1))  # the shape; a Gaussian has 2 in the limit
        2.1
    """
    shapes, ratios, to_deviation = _shapes()
    negative, positive = values < 0, values > 0
    squares = values * values
    left = np.sqrt((squares * negative).sum(1) / np.maximum(negative.sum(1), 1))
    right = np.sqrt((squares * positive).sum(1) / np.maximum(positive.sum(1), 1))
    skew = left / np.maximum(right, 1e-12)
    observed = np.abs(values).mean(1) ** 2 / np.maximum(squares.mean(1), 1e-12)
    wanted = observed * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    best = np.abs(np.searchsorted(ratios, wanted).clip(1, len(ratios) - 1))
    best -= np.abs(ratios[best - 1] - wanted) < np.abs(ratios[best] - wanted)
    shape, factor = shapes[best], to_deviation[best]
    one, two = (np.array([gamma(k / each) for each in shape]) for k in (1, 2))
    left, right = left * factor, right * factor
    return np.stack([shape, (right - left) * two / one, left, right], axis=1)


def block_features(y: np.ndarray, kept: slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
    """Return the NIQE features of each block of 96 x 96 pixels, at full and at half size.

    Args:
        y: Luma in [0, 255], (H, W) floating point, at least 96 pixels per side. Rows and columns beyond the last whole
            block are cut off.
        kept: Rows of blocks to return; the others only surround them.

    Returns:
        Features (num_blocks, 36), and the mean local deviation of each block at full size, (num_blocks,).

    Raises:
        ValueError: If the image is smaller than one block.
    """
    rows, columns = (size // BLOCK_PX for size in y.shape)
    if not rows * columns:
        raise ValueError(f"NIQE needs at least {BLOCK_PX}x{BLOCK_PX} pixels, got {y.shape[0]}x{y.shape[1]}")
    y = y[: rows * BLOCK_PX, : columns * BLOCK_PX].astype(np.float64)
    features = []
    for side, image in ((BLOCK_PX, y), (BLOCK_PX // 2, downscale(y, 2))):
        coefficients, deviation = normalized(image)
        blocks = coefficients.reshape(rows, side, columns, side)[kept].swapaxes(1, 2).reshape(-1, side, side)
        features.append(_features(blocks))
        if side == BLOCK_PX:
            sharpness = deviation.reshape(rows, side, columns, side)[kept].mean(axis=(1, 3)).ravel()
    return np.concatenate(features, axis=1), sharpness


def _features(blocks: np.ndarray) -> np.ndarray:
    """Return 18 features of blocks (N, s, s): shape and scale of the values, four of each product of neighbours."""
    shape, _, left, right = fit_generalized_gaussian(blocks.reshape(len(blocks), -1)).T
    columns = [shape, (left + right) / 2]
    for shift in _SHIFTS:
        product = blocks * np.roll(blocks, shift, axis=(1, 2))
        columns += list(fit_generalized_gaussian(product.reshape(len(blocks), -1)).T)
    return np.stack(columns, axis=1)


def distance(mean: np.ndarray, covariance: np.ndarray, features: np.ndarray) -> float:
    """Return the NIQE score, the distance of an image's features from the pristine model (equation 10).

    D = sqrt(d' ((S1 + S2) / 2)^+ d), with d the difference of the means, S1 and S2 the covariances.

    Args:
        mean: Mean of the pristine model, (36,).
        covariance: Covariance of the pristine model, (36, 36).
        features: Features of the image, (num_blocks, 36). The covariance of a single block counts as zero.

    Returns:
        The score, at least 0; lower is better.

    Example:
        >>> distance(np.zeros(36), 2 * np.eye(36), np.ones((1, 36)))
        6.0
    """
    own = np.cov(features, rowvar=False) if len(features) > 1 else np.zeros_like(covariance)
    difference = features.mean(0) - mean
    return float(np.sqrt(difference @ np.linalg.pinv((covariance + own) / 2) @ difference))
