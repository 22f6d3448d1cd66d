"""Protocols: the published bicubic rows, scikit-image, borders, refusals, and the torchmetrics shell."""

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import distributed

from sr import metrics
from sr.metrics import SRQuality, luma, protocol


def _pair(height: int = 29, width: int = 37) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    hr = random.integers(0, 256, (height, width, 3), np.uint8)
    return np.clip(hr + random.normal(0, 20, hr.shape), 0, 255).astype(np.uint8), hr


def _batch(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.atleast_3d(image)).permute(2, 0, 1)[None]


def _score(name: str, sr: np.ndarray, hr: np.ndarray, scale: float) -> tuple[float, float]:
    decibels, similarity = protocol(name).score(_batch(sr), _batch(hr), scale)
    return decibels.item(), similarity.item()


@pytest.mark.parametrize(("scale", "border"), [(1.5, 2), (2, 2), (3, 3), (4, 4)])
def test_y_equals_scikit_image_within_the_border(scale: float, border: int) -> None:
    sr, hr = _pair()
    a, b = (rgb2ycbcr(image)[border:-border, border:-border, 0] for image in (sr, hr))
    _, similarity = structural_similarity(
        a, b, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    ours = _score("y", sr, hr, scale)
    assert ours == pytest.approx(
        (peak_signal_noise_ratio(b, a, data_range=255), similarity[5:-5, 5:-5].mean()), abs=1e-9
    )


def test_rgb_equals_scikit_image_within_the_border() -> None:
    sr, hr = _pair()
    a, b = (image[2:-2, 2:-2] for image in (sr, hr))
    decibels, _ = _score("rgb", sr, hr, 2)
    assert decibels == pytest.approx(peak_signal_noise_ratio(b, a, data_range=255), abs=1e-9)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_rgb_crop1_is_the_formula_of_the_challenges(scale: float) -> None:
    sr, hr = _pair()
    difference = sr[1:-1, 1:-1].astype(np.float64) - hr[1:-1, 1:-1]
    decibels, _ = _score("rgb_crop1", sr, hr, scale)
    assert decibels == pytest.approx(20 * np.log10(255 / np.sqrt(np.mean(difference**2))), abs=1e-9)
    assert decibels != _score("rgb", sr, hr, scale)[0], "another border"


def test_tf_y_compares_unrounded_luma_of_the_whole_image() -> None:
    a, b = (rgb2ycbcr(image)[..., 0] for image in _pair())
    decibels, _ = _score("tf_y", a, b, 2)
    assert decibels == pytest.approx(-10 * np.log10(np.mean((a / 255 - b / 255) ** 2)), abs=1e-9)
    worse = a.copy()
    worse[0, 0] += 50
    assert _score("tf_y", worse, b, 2)[0] < decibels, "no border is cut off"


def test_what_lies_in_the_border_does_not_count() -> None:
    _, hr = _pair()
    sr = hr.copy()
    sr[:2], sr[-2:], sr[:, :2], sr[:, -2:] = 0, 0, 0, 0
    assert _score("y", sr, hr, 2) == (float("inf"), 1.0)
    assert _score("y", sr, hr, 1.5) == (float("inf"), 1.0)


def test_luma_alone_is_scored_as_it_is() -> None:
    sr, hr = (luma(image) for image in _pair())
    assert sr.dtype == np.uint8 and sr.shape == (29, 37)
    decibels, _ = _score("y_only", sr, hr, 3)
    assert decibels == pytest.approx(peak_signal_noise_ratio(hr[3:-3, 3:-3], sr[3:-3, 3:-3], data_range=255), abs=1e-9)


def test_luma_is_rounded_half_up() -> None:
    _, hr = _pair()
    assert np.array_equal(luma(hr), np.floor(rgb2ycbcr(hr)[..., 0] + 0.5))


def _quality_of(name: str, pairs: list[tuple[np.ndarray, np.ndarray]]) -> SRQuality:
    quality = SRQuality(protocol=protocol(name), scale=2)
    for sr, hr in pairs:
        quality.update(_batch(sr), _batch(hr))
    return quality


PAIRS = [_pair(), _pair(40, 25), _pair(33, 33)]


@pytest.mark.parametrize(("name", "keys"), [("y", ["psnr_y_db", "ssim_y"]), ("rgb", ["psnr_rgb_db", "ssim_rgb"])])
def test_metric_is_the_mean_of_the_scores_of_the_images(name: str, keys: list[str]) -> None:
    expected = np.mean([_score(name, sr, hr, 2) for sr, hr in PAIRS], axis=0)
    assert _quality_of(name, PAIRS).compute() == dict(zip(keys, expected.tolist(), strict=True))


def _score_a_share(rank: int, file: str, expected: dict[str, float]) -> None:
    distributed.init_process_group("gloo", init_method=f"file:///{file.lstrip('/')}", rank=rank, world_size=2)
    share = PAIRS[:1] if rank == 0 else PAIRS[1:]
    assert _quality_of("y", share).compute() == expected
    distributed.destroy_process_group()


def test_metric_counts_the_images_of_all_processes(tmp_path: Path) -> None:
    expected = _quality_of("y", PAIRS).compute()
    torch.multiprocessing.spawn(_score_a_share, (str(tmp_path / "meeting"), expected), nprocs=2)


def test_names_are_the_keys() -> None:
    assert (
        metrics.PROTOCOLS.keys()
        == {p.name for p in metrics.PROTOCOLS.values()}
        == {"y", "y_only", "rgb", "rgb_crop1", "tf_y"}
    )


def test_an_unknown_protocol_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown protocol 'Y'; known: y \(.*y_only \(.*rgb \("):
        protocol("Y")


def test_images_that_do_not_fit_are_refused() -> None:
    sr, hr = _pair()
    with pytest.raises(ValueError, match=r"shape \(1, 3, 29, 37\), got SR \(1, 3, 29, 36\)"):
        _score("y", sr[:, :-1], hr, 2)
    with pytest.raises(ValueError, match=r"'y_only' compares two images of shape \(1, 1, 29, 37\), got SR \(1, 3, "):
        _score("y_only", sr, hr, 2)
    with pytest.raises(ValueError, match=r"14x37 pixels is too small to score at x2.*at least 15"):
        _score("y", sr[:14], hr[:14], 2)
    with pytest.raises(ValueError, match=r"scores need uint8 images, got torch\.float64"):
        _score("y", sr / 255, hr, 2)
