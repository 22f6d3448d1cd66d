"""NIQE: how unlike natural photographs an image's local statistics are, without looking at the true image.

Source: Mittal, Soundararajan and Bovik, "Making a completely blind image quality analyzer", IEEE Signal Processing
Letters 20(3), 2013. Differences: luma is not rounded to bytes, and the half-size image is MATLAB's bicubic of it.
"""

from functools import cache
from math import gamma

import numpy as np

from sr.functional.resize import downscale

BLOCK = 96  # pixels per side of a block at full size, section III
WINDOW, SIGMA = 7, 7 / 6  # of the local mean and deviation
NUM_FEATURES = 36  # 18 at each of two sizes
SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # neighbours: horizontal, vertical, both diagonals


def normalized(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Subtract the local mean and divide by the local deviation plus 1 (MSCN coefficients).

    Args:
        y: (H, W) luma in [0, 255], floating point.

    Returns:
        The coefficients and the local deviation, both (H, W); borders repeat the last pixel.

    >>> coefficients, deviation = normalized(np.full((9, 9), 70.0))
    >>> bool(np.abs(coefficients).max() < 1e-9 and np.abs(deviation).max() < 1e-3)
    True
    """
    mean = _blur(y)
    deviation = np.sqrt(np.abs(_blur(y * y) - mean * mean))
    return (y - mean) / (deviation + 1), deviation


def _blur(image: np.ndarray) -> np.ndarray:
    """Gaussian window of 7 x 7 pixels."""
    offsets = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(offsets**2) / (2 * SIGMA**2))
    weights /= weights.sum()
    for axis in (0, 1):
        pad = [(WINDOW // 2, WINDOW // 2) if each == axis else (0, 0) for each in (0, 1)]
        padded = np.pad(image, pad, mode="edge")
        size = image.shape[axis]
        image = sum(w * np.take(padded, range(i, i + size), axis=axis) for i, w in enumerate(weights))
    return image


@cache
def _shapes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Candidate shapes, their moment ratio (E|x|)^2 / E x^2, and their factor from scale to deviation."""
    shapes = np.arange(0.2, 10.0005, 0.001)
    one, two, three = (np.array([gamma(k / shape) for shape in shapes]) for k in (1, 2, 3))
    return shapes, two**2 / (one * three), np.sqrt(one / three)


def fit_generalized_gaussian(values: np.ndarray) -> np.ndarray:
    """Fit an asymmetric generalized Gaussian to each row by matching moments.

    Args:
        values: (N, K).

    Returns:
        (N, 4): shape, mean, left and right scale. A Gaussian has the shape 2, a Laplacian 1.

    Source: Lasmar, Stitou and Berthoumieu, "Multiscale skewed heavy tailed model for texture analysis", 2009.
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


def block_features(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Describe each block of 96 x 96 pixels at full and at half size.

    Args:
        y: (H, W) luma in [0, 255], floating point, at least one block high and wide; what is over is cut off.

    Returns:
        Features (num_blocks, 36), and the mean local deviation of each block at full size, (num_blocks,).

    Raises:
        ValueError: a smaller image.
    """
    rows, columns = (size // BLOCK for size in y.shape)
    if not rows * columns:
        raise ValueError(f"NIQE needs {BLOCK}x{BLOCK} pixels at least, got {y.shape[0]}x{y.shape[1]}")
    y = y[: rows * BLOCK, : columns * BLOCK].astype(np.float64)
    features = []
    for side, image in ((BLOCK, y), (BLOCK // 2, downscale(y, 2))):
        coefficients, deviation = normalized(image)
        blocks = coefficients.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)
        features.append(_features(blocks))
        if side == BLOCK:
            sharpness = deviation.reshape(rows, side, columns, side).mean(axis=(1, 3)).ravel()
    return np.concatenate(features, axis=1), sharpness


def _features(blocks: np.ndarray) -> np.ndarray:
    """18 features of blocks (N, s, s): shape and scale of the values, four of each product of neighbours."""
    shape, _, left, right = fit_generalized_gaussian(blocks.reshape(len(blocks), -1)).T
    columns = [shape, (left + right) / 2]
    for shift in SHIFTS:
        product = blocks * np.roll(blocks, shift, axis=(1, 2))
        columns += list(fit_generalized_gaussian(product.reshape(len(blocks), -1)).T)
    return np.stack(columns, axis=1)


def distance(mean: np.ndarray, covariance: np.ndarray, features: np.ndarray) -> float:
    """Distance of an image's blocks from the model of pristine ones: sqrt(d' ((S1 + S2) / 2)^+ d), equation 10.

    Args:
        mean: (36,) of the model.
        covariance: (36, 36) of the model.
        features: (num_blocks, 36); of a single block the covariance counts as zero.
    """
    own = np.cov(features, rowvar=False) if len(features) > 1 else np.zeros_like(covariance)
    difference = features.mean(0) - mean
    return float(np.sqrt(difference @ np.linalg.pinv((covariance + own) / 2) @ difference))
