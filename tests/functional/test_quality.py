"""PSNR and SSIM against scikit-image."""

import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from sr.functional import quality
from sr.functional.quality import psnr, psnr_and_ssim, ssim


def _pair(dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    hr = torch.rand(3, 2, 23, 31, dtype=torch.float64, generator=generator)
    noise = torch.randn(hr.shape, dtype=torch.float64, generator=generator) * torch.tensor([0.01, 0.1, 0.3]).view(
        3, 1, 1, 1
    )
    return (hr + noise).to(dtype), hr.to(dtype)


@pytest.mark.parametrize("data_range", [1.0, 255.0])
def test_psnr_equals_scikit_image(data_range: float) -> None:
    sr, hr = (images * data_range for images in _pair())
    theirs = [peak_signal_noise_ratio(b.numpy(), a.numpy(), data_range=data_range) for a, b in zip(sr, hr, strict=True)]
    np.testing.assert_allclose(psnr(sr, hr, data_range), theirs, atol=1e-10)


@pytest.mark.parametrize(
    ("data_range", "dtype", "atol"),
    [(1.0, torch.float64, 1e-12), (255.0, torch.float64, 1e-12), (1.0, torch.float32, 1e-5)],
)
def test_ssim_equals_scikit_image_on_the_valid_region(data_range: float, dtype: torch.dtype, atol: float) -> None:
    sr, hr = (images * data_range for images in _pair(dtype))
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "K1": 0.01, "K2": 0.03}
    theirs = []
    for a, b in zip(sr.double().numpy(), hr.double().numpy(), strict=True):
        _, maps = structural_similarity(a, b, data_range=data_range, channel_axis=0, full=True, **settings)
        theirs.append(maps[:, 5:-5, 5:-5].mean())
    np.testing.assert_allclose(ssim(sr, hr, data_range), theirs, atol=atol)


@pytest.mark.parametrize("strip_rows", [1, 5, 12, 13, 14, 22, 23, 100])
def test_strips_give_the_scores_of_the_whole(strip_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sr, hr = ((images * 255).round().clamp(0, 255).byte() for images in _pair())
    monkeypatch.setattr(quality, "_STRIP_PX", strip_rows * sr.shape[-1])
    decibels, similarity = psnr_and_ssim(sr, hr, 255.0, torch.Tensor.double)
    whole = psnr(sr.double(), hr.double(), 255.0), ssim(sr.double(), hr.double(), 255.0)
    torch.testing.assert_close((decibels, similarity), whole, rtol=1e-14, atol=0)
    if strip_rows == 100:
        assert decibels.equal(whole[0]) and similarity.equal(whole[1])


def test_equal_images() -> None:
    _, hr = _pair()
    assert psnr(hr, hr, 1.0).isinf().all()
    np.testing.assert_allclose(ssim(hr, hr, 1.0), 1.0, atol=1e-14)


@pytest.mark.parametrize("score", [psnr, ssim])
def test_refuses_what_does_not_compare(score: object) -> None:
    sr, hr = _pair()
    with pytest.raises(ValueError, match=r"batches \(N, C, H, W\) of one shape"):
        score(sr[:2], hr, 1.0)
    with pytest.raises(ValueError, match=r"got torch.uint8"):
        score(sr.byte(), hr, 1.0)
    with pytest.raises(ValueError, match="data_range must be positive"):
        score(sr, hr, 0.0)


def test_ssim_refuses_an_image_smaller_than_its_window() -> None:
    with pytest.raises(ValueError, match="at least 11x11 pixels, got 10x31"):
        ssim(_pair()[0][:, :, :10], _pair()[1][:, :, :10], 1.0)


def test_ssim_in_strips_is_that_of_the_whole() -> None:
    a, b = torch.rand(2, 1, 1, 300, 40, dtype=torch.float64)
    in_strips = ssim(a, b, 1.0)
    window = torch.tensor([math.exp(-((i - 5) ** 2) / 4.5) for i in range(11)], dtype=torch.float64)
    window /= window.sum()

    def blur(image: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.conv2d(image, window.outer(window)[None, None])

    x, y = blur(a), blur(b)
    xx, yy, xy = blur(a * a) - x * x, blur(b * b) - y * y, blur(a * b) - x * y
    whole = (2 * x * y + 1e-4) * (2 * xy + 9e-4) / ((x * x + y * y + 1e-4) * (xx + yy + 9e-4))
    assert abs(in_strips - whole.mean()).item() < 1e-12
