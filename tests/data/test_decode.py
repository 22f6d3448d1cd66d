"""Pairs from files: shrink, LR images from MATLAB, and all bad files named together."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr.data.decode import SourceImage, decode, decode_all, needs
from sr.data.image import read_image
from sr.functional.resize import downscale, imresize


@pytest.fixture
def picture(tmp_path: Path) -> SourceImage:
    pixels = np.random.default_rng(1).integers(0, 256, (50, 71, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    return SourceImage("a", tmp_path / "a.png", None)


@pytest.mark.parametrize(("scale", "hr_size"), [(1.5, (48, 69)), (2, (50, 70)), (3, (48, 69)), (4, (48, 68))])
def test_hr_is_cropped_and_lr_is_the_bicubic_of_it(picture: SourceImage, scale: float, hr_size: tuple[int, int]):
    pair = decode(picture, scale=Fraction(scale), shrink=Fraction(1))
    whole = read_image(picture.path)
    assert pair.hr.shape[:2] == hr_size
    assert np.array_equal(pair.hr, whole[: hr_size[0], : hr_size[1]])
    assert np.array_equal(pair.lr, downscale(whole, scale))


def test_shrink_comes_first(picture: SourceImage):
    pair = decode(picture, scale=Fraction(2), shrink=Fraction(3))
    small = imresize(read_image(picture.path), Fraction(1, 3))
    assert np.array_equal(pair.hr, small[:16, :24])
    assert np.array_equal(pair.lr, downscale(small, 2))


def test_lr_images_may_come_from_disk(picture: SourceImage, tmp_path: Path):
    lr = np.random.default_rng(2).integers(0, 256, (25, 36, 3), dtype=np.uint8)  # of 71 columns MATLAB makes 36
    Image.fromarray(lr).save(tmp_path / "lr.png")
    given = picture._replace(lr_path=tmp_path / "lr.png")
    assert np.array_equal(decode(given, scale=Fraction(2), shrink=Fraction(1)).lr, lr[:, :35])
    with pytest.raises(ValueError, match=r"lr\.png has 25x36 pixels, but x3 of .*a\.png needs 16x23"):
        decode(given, scale=Fraction(3), shrink=Fraction(1))
    with pytest.raises(ValueError, match=r"lr\.png.*set `lr` to null or `shrink` to 1, got 2"):
        decode(given, scale=Fraction(2), shrink=Fraction(2))


def test_the_shipped_matlab_images_are_the_ones_made_here(shared_data: Path):
    for scale in (2, 3, 4):
        folder = shared_data / "matlab_lr" / "Set5" / f"x{scale}"
        files = sorted(folder.glob("*.png"))
        assert files
        for file in files:
            hr = shared_data / "test" / "Set5" / f"{file.stem.removesuffix(f'x{scale}')}.png"
            made = decode(SourceImage("a", hr, None), scale=Fraction(scale), shrink=Fraction(1))
            given = decode(SourceImage("a", hr, file), scale=Fraction(scale), shrink=Fraction(1))
            assert np.array_equal(made.lr, given.lr), file


def test_order_is_kept_and_every_bad_file_is_named(picture: SourceImage, tmp_path: Path):
    images = [picture._replace(name=str(i)) for i in range(20)]
    assert [pair.name for pair, _ in decode_all(images, scale=Fraction(2), shrink=Fraction(1))] == [
        str(i) for i in range(20)
    ]
    (tmp_path / "half.png").write_bytes(picture.path.read_bytes()[:3000])
    (tmp_path / "text.png").write_text("x")
    images[3] = images[3]._replace(path=tmp_path / "half.png")
    images[17] = images[17]._replace(path=tmp_path / "text.png")
    with pytest.raises(
        ValueError, match=r"2 of 20 images cannot be used:\n.*half\.png is truncated.*\n.*text\.png is not"
    ):
        list(decode_all(images, scale=Fraction(2), shrink=Fraction(1)))


def test_the_size_is_known_from_headers(picture: SourceImage):
    assert needs([picture] * 2, scale=Fraction(2), shrink=Fraction(1)).num_bytes == round(2 * 3 * 50 * 71 * 1.25)


def test_an_image_smaller_than_the_scale_names_itself(tmp_path: Path):
    Image.new("RGB", (3, 9)).save(tmp_path / "tiny.png")
    with pytest.raises(ValueError, match=r"tiny\.png: .*too small for scale 4"):
        decode(SourceImage("tiny", tmp_path / "tiny.png", None), scale=Fraction(4), shrink=Fraction(1))
