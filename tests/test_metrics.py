"""Protocols: the published bicubic rows, scikit-image, borders, refusals, and the torchmetrics shell."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from sr import metrics
from sr.metrics import SRQuality, luma, protocol


def _pair(height: int = 29, width: int = 37) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    hr = random.integers(0, 256, (height, width, 3), np.uint8)
    return np.clip(hr + random.normal(0, 20, hr.shape), 0, 255).astype(np.uint8), hr


@pytest.mark.parametrize(("scale", "border"), [(1.5, 2), (2, 2), (3, 3), (4, 4)])
def test_y_equals_scikit_image_within_the_border(scale: float, border: int) -> None:
    sr, hr = _pair()
    a, b = (rgb2ycbcr(image)[border:-border, border:-border, 0] for image in (sr, hr))
    _, similarity = structural_similarity(
        a, b, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    ours = protocol("y").score(sr, hr, scale)
    assert ours == pytest.approx(
        (peak_signal_noise_ratio(b, a, data_range=255), similarity[5:-5, 5:-5].mean()), abs=1e-9
    )


def test_rgb_equals_scikit_image_within_the_border() -> None:
    sr, hr = _pair()
    a, b = (image[2:-2, 2:-2] for image in (sr, hr))
    decibels, _ = protocol("rgb").score(sr, hr, 2)
    assert decibels == pytest.approx(peak_signal_noise_ratio(b, a, data_range=255), abs=1e-9)


def test_what_lies_in_the_border_does_not_count() -> None:
    _, hr = _pair()
    sr = hr.copy()
    sr[:2], sr[-2:], sr[:, :2], sr[:, -2:] = 0, 0, 0, 0
    assert protocol("y").score(sr, hr, 2) == (float("inf"), 1.0)
    assert protocol("y").score(sr, hr, 1.5) == (float("inf"), 1.0)


def test_luma_alone_is_scored_as_it_is() -> None:
    sr, hr = (luma(image) for image in _pair())
    assert sr.dtype == np.uint8 and sr.shape == (29, 37)
    decibels, _ = protocol("y_only").score(sr, hr, 3)
    assert decibels == pytest.approx(peak_signal_noise_ratio(hr[3:-3, 3:-3], sr[3:-3, 3:-3], data_range=255), abs=1e-9)


def test_luma_is_rounded_half_up() -> None:
    _, hr = _pair()
    assert np.array_equal(luma(hr), np.floor(rgb2ycbcr(hr)[..., 0] + 0.5))


def test_shell_gives_the_mean_over_images_of_each_images_value() -> None:
    pairs = [_pair(), _pair(40, 25)]
    for name, keys in (("y", {"psnr_y_db", "ssim_y"}), ("rgb", {"psnr_rgb_db", "ssim_rgb"})):
        quality = SRQuality(protocol=protocol(name), scale=2)
        for sr, hr in pairs:
            quality.update(*(torch.from_numpy(image).permute(2, 0, 1)[None] for image in (sr, hr)))
        result = quality.compute()
        assert set(result) == keys
        expected = np.mean([protocol(name).score(sr, hr, 2) for sr, hr in pairs], axis=0)
        np.testing.assert_allclose([value.item() for value in result.values()], expected, atol=1e-12)


def test_names_are_the_keys() -> None:
    assert metrics.PROTOCOLS.keys() == {p.name for p in metrics.PROTOCOLS.values()} == {"y", "y_only", "rgb"}


def test_an_unknown_protocol_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown protocol 'Y'; known: y \(.*y_only \(.*rgb \("):
        protocol("Y")


def test_images_that_do_not_fit_are_refused() -> None:
    sr, hr = _pair()
    with pytest.raises(ValueError, match=r"shape \(29, 37, 3\), got SR \(29, 36, 3\)"):
        protocol("y").score(sr[:, :-1], hr, 2)
    with pytest.raises(ValueError, match=r"'y_only' compares two images of shape \(29, 37\), got SR \(29, 37, 3\)"):
        protocol("y_only").score(sr, hr, 2)
    with pytest.raises(ValueError, match=r"14x37 pixels is too small to score at x2.*at least 15"):
        protocol("y").score(sr[:14], hr[:14], 2)
    with pytest.raises(ValueError, match=r"scores need uint8 images, got torch\.float64"):
        protocol("y").score(sr / 255, hr, 2)
