"""Resizing: MATLAB's own images bit for bit, exact arithmetic, Pillow, and the torch twin."""

import time
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sr.functional.resize import as_ratio, bicubic, crop_to_multiple, downscale, imresize

SCALES = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 4), Fraction(2, 3), 1.5, 2, 3, 4, 1, 0.37, Fraction(47, 61)]


def _photo(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_reproduces_every_pixel_of_the_images_made_by_matlab(shared_data: Path, scale: int) -> None:
    paths = sorted((shared_data / "matlab_lr").glob(f"*/x{scale}/*.png"))
    assert len(paths) == 19  # Set5 and Set14
    differing = {}
    for path in paths:
        hr = np.array(Image.open(shared_data / "test" / path.parts[-3] / path.name.replace(f"x{scale}.png", ".png")))
        ours, theirs = downscale(hr, scale), np.array(Image.open(path))
        assert ours.shape == theirs.shape, path
        differing[path.name] = int((ours != theirs).sum())
    assert set(differing.values()) == {0}, differing


def _exact(line: list[int], ratio: Fraction) -> list[int]:
    """One line of bytes resized in rational arithmetic, rounded half up: the definition, slowly."""

    def kernel(x: Fraction) -> Fraction:
        x = abs(x)
        if x <= 1:
            return Fraction(3, 2) * x**3 - Fraction(5, 2) * x**2 + 1
        return -Fraction(1, 2) * x**3 + Fraction(5, 2) * x**2 - 4 * x + 2 if x < 2 else Fraction(0)

    size, width, out = len(line), min(ratio, Fraction(1)), []
    mirror = [*range(size), *reversed(range(size))]
    for i in range(ceil(size * ratio)):
        u = (i + Fraction(1, 2)) / ratio - Fraction(1, 2)
        taps = [(kernel(width * (u - j)), line[mirror[j % (2 * size)]]) for j in range(floor(u) - 40, floor(u) + 41)]
        value = sum(w * v for w, v in taps) / sum(w for w, _ in taps)
        out.append(min(max(floor(value + Fraction(1, 2)), 0), 255))
    return out


@pytest.mark.parametrize("scale", SCALES)
def test_bytes_equal_rational_arithmetic(scale: float | Fraction) -> None:
    for column in _photo(3, 23):
        image = np.repeat(column[:, None], 12, axis=1)  # flat along rows, so that only the vertical pass changes it
        assert imresize(image, scale)[:, 0].tolist() == _exact(column.tolist(), as_ratio(scale))
        assert imresize(image.T, scale)[0].tolist() == _exact(column.tolist(), as_ratio(scale))


@pytest.mark.parametrize("scale", SCALES)
def test_shape_is_the_ceiling_and_a_flat_image_stays_flat(scale: float | Fraction) -> None:
    resized = imresize(np.full((30, 17, 3), 201, np.uint8), scale)
    ratio = as_ratio(scale)
    assert resized.shape == (ceil(30 * ratio), ceil(17 * ratio), 3)
    assert resized.dtype == np.uint8
    assert (resized == 201).all()


@pytest.mark.parametrize("scale", [0.5, 1 / 3, 0.25, 2, 3, 4])
def test_inside_equals_pillow(scale: float) -> None:
    image = np.random.default_rng(0).random((60, 48), np.float32)
    theirs = np.array(Image.fromarray(image).resize((round(48 * scale), round(60 * scale)), Image.Resampling.BICUBIC))
    inside = slice(4 * max(1, round(scale)), -4 * max(1, round(scale)))  # Pillow drops what lies beyond the border
    np.testing.assert_allclose(imresize(image, scale)[inside, inside], theirs[inside, inside], atol=2e-6)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_torch_equals_numpy(scale: float | Fraction, dtype: torch.dtype) -> None:
    images = torch.rand(2, 3, 13, 10, dtype=dtype, generator=torch.Generator().manual_seed(0))
    ours = bicubic(images, scale)
    expected = np.stack([imresize(image.permute(1, 2, 0).numpy(), scale).transpose(2, 0, 1) for image in images])
    assert ours.is_contiguous()
    np.testing.assert_allclose(ours, expected, atol=1e-6 if dtype == torch.float32 else 1e-12)


def test_torch_has_the_right_gradient() -> None:
    images = torch.rand(1, 1, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: bicubic(x, 1.5), images)


def test_an_image_smaller_than_the_kernel_is_mirrored_as_often_as_needed() -> None:
    assert imresize(np.array([[7]], np.uint8), Fraction(1, 4)).tolist() == [[7]]
    np.testing.assert_allclose(bicubic(torch.full((1, 1, 1, 2), 0.3), 0.25), 0.3, atol=1e-7)


def test_two_megapixels_take_well_under_a_second() -> None:
    image = _photo(1080, 1920, 3)
    start = time.process_time()
    imresize(image, Fraction(1, 2))
    assert time.process_time() - start < 0.5  # 0.02 to 0.04 s


def test_a_float_image_is_neither_rounded_nor_clipped() -> None:
    edge = np.repeat([[0.0, 0.0, 1.0, 1.0]], 4, axis=0)
    resized = imresize(edge, 2)
    assert resized.dtype == np.float64
    assert resized.min() < 0 and resized.max() > 1


def test_a_quotient_is_read_as_the_ratio_that_it_stands_for() -> None:
    assert as_ratio(1 / 3) == Fraction(1, 3)
    assert imresize(_photo(300, 3), 1 / 1.5).shape == (200, 2)


@pytest.mark.parametrize(
    ("scale", "shape", "lr"), [(1.5, (20, 31), (12, 20)), (3, (20, 31), (6, 10)), (4, (20, 31), (5, 7))]
)
def test_downscale_crops_so_that_the_scale_leads_back(
    scale: float, shape: tuple[int, int], lr: tuple[int, int]
) -> None:
    small = downscale(_photo(*shape, 3), scale)
    assert small.shape == (*lr, 3)
    assert tuple(side * scale for side in lr) == crop_to_multiple(_photo(*shape), scale).shape


def test_refuses_what_it_cannot_resize() -> None:
    with pytest.raises(ValueError, match="positive, got 0"):
        imresize(_photo(4, 4), 0)
    with pytest.raises(ValueError, match=r"give fractions\.Fraction"):
        imresize(_photo(4, 4), 0.123456789)
    with pytest.raises(ValueError, match="uint8 or floating point pixels, got int64"):
        imresize(np.zeros((4, 4), np.int64), 2)
    with pytest.raises(ValueError, match=r"got \(4,\)"):
        imresize(np.zeros(4, np.uint8), 2)
    with pytest.raises(ValueError, match="2x9 pixels is too small for scale 3"):
        crop_to_multiple(_photo(2, 9), 3)
