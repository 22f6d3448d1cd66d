"""NIQE by its definition: local normalisation, fitted distributions, distance."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sr.functional.niqe import BLOCK_PX, NUM_FEATURES, block_features, distance, fit_generalized_gaussian, normalized


def test_local_normalization_against_scipy() -> None:
    y = np.random.default_rng(0).uniform(0, 255, (40, 50))
    blur = dict(sigma=7 / 6, mode="nearest", radius=3)
    mean = gaussian_filter(y, **blur)
    deviation = np.sqrt(np.abs(gaussian_filter(y * y, **blur) - mean**2))
    ours = normalized(y)
    np.testing.assert_allclose(ours[0], (y - mean) / (deviation + 1), atol=1e-9)
    np.testing.assert_allclose(ours[1], deviation, atol=1e-9)


def generalized_gaussian(shape: float, scale: float, size: int) -> np.ndarray:
    """Samples of density exp(-(|x| / scale)^shape): |x|^shape is gamma distributed."""
    random = np.random.default_rng(1)
    return scale * random.gamma(1 / shape, size=size) ** (1 / shape) * random.choice((-1, 1), size)


@pytest.mark.parametrize("shape", [0.7, 1.0, 2.0, 4.0])
def test_fit_finds_shape_and_scale(shape: float) -> None:
    values = generalized_gaussian(shape, 1.5, 400_000)[None]
    found, mean, left, right = fit_generalized_gaussian(values)[0]
    assert found == pytest.approx(shape, rel=0.03)
    assert (left, right) == (pytest.approx(1.5, rel=0.03), pytest.approx(1.5, rel=0.03))
    assert mean == pytest.approx(0, abs=0.02)


def test_fit_tells_left_from_right() -> None:
    values = generalized_gaussian(2.0, 1.0, 400_000)
    values[values > 0] *= 3  # an asymmetric Gaussian whose right side is three times as wide has as many on each side
    narrow = values[values < 0]
    values = np.concatenate([narrow[: len(narrow) // 3], values[values > 0]])[None]  # its density is continuous at 0
    _, mean, left, right = fit_generalized_gaussian(values)[0]
    assert (left, right) == (pytest.approx(1.0, rel=0.03), pytest.approx(3.0, rel=0.03))
    assert mean == pytest.approx((3 - 1) / np.sqrt(np.pi), rel=0.03)


def test_blocks_and_sharpness() -> None:
    y = np.random.default_rng(2).uniform(0, 255, (2 * BLOCK_PX + 5, 3 * BLOCK_PX))
    y[:BLOCK_PX, :BLOCK_PX] = 100 + 0.01 * y[:BLOCK_PX, :BLOCK_PX]
    features, sharpness = block_features(y)
    assert features.shape == (6, NUM_FEATURES) and np.isfinite(features).all()
    assert sharpness.argmin() == 0 and sharpness[0] < 0.1 * sharpness[1]
    with pytest.raises(ValueError, match="NIQE needs at least 96x96 pixels, got 95x200"):
        block_features(np.zeros((95, 200)))


def test_distance_is_the_formula() -> None:
    random = np.random.default_rng(3)
    root, features = random.normal(size=(36, 36)), random.normal(size=(50, 36))
    mean, covariance = random.normal(size=36), root @ root.T
    difference = features.mean(0) - mean
    both = (covariance + np.cov(features.T)) / 2
    assert distance(mean, covariance, features) == pytest.approx(
        np.sqrt(difference @ np.linalg.solve(both, difference))
    )
    assert distance(features.mean(0), covariance, features) == pytest.approx(0, abs=1e-9)
    assert np.isfinite(distance(mean, covariance, features[:1]))
