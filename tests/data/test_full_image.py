"""Images with all that they hold: bits, transparency, profile."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from sr.data.full_image import read_full_image
from sr.data.image import read_image
from sr.data.image_writer import write_strips

CROP = np.ascontiguousarray(data.astronaut()[:20, :30])


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "tif"])
def test_a_plain_picture_is_what_read_image_gives(tmp_path, ending):
    path = tmp_path / f"in.{ending}"
    Image.fromarray(CROP).save(path)
    found = read_full_image(path)
    assert np.array_equal(found.pixels, read_image(path)) and found.alpha is None and found.profile is None


def test_transparency_comes_apart_and_opaque_is_none(tmp_path):
    alpha = np.full(CROP.shape[:2], 255, np.uint8)
    Image.fromarray(np.dstack((CROP, alpha))).save(tmp_path / "opaque.png")
    assert read_full_image(tmp_path / "opaque.png").alpha is None
    alpha[3, 4] = 7
    Image.fromarray(np.dstack((CROP, alpha))).save(tmp_path / "in.png")
    found = read_full_image(tmp_path / "in.png")
    assert np.array_equal(found.alpha, alpha) and np.array_equal(found.pixels, CROP)


def test_a_transparent_colour_of_a_palette_is_transparency(tmp_path):
    image = Image.fromarray(CROP).quantize(4)
    image.save(tmp_path / "in.png", transparency=0)
    found = read_full_image(tmp_path / "in.png")
    assert np.array_equal(found.alpha == 0, np.asarray(image) == 0)


@pytest.mark.parametrize("num_channels", [3, 4])
def test_sixteen_bits_are_exact_or_reduced(tmp_path, num_channels):
    deep = np.random.default_rng(0).integers(0, 65536, (20, 30, num_channels), np.uint16)
    write_strips(tmp_path / "in.png", "PNG", (20, 30), [deep], None)
    found = read_full_image(tmp_path / "in.png")
    assert np.array_equal(found.pixels, deep[..., :3])
    assert num_channels == 3 or np.array_equal(found.alpha, deep[..., 3])
    reduced = read_full_image(tmp_path / "in.png", sixteen_bits=False).pixels
    assert reduced.dtype == np.uint8 and np.abs(reduced - deep[..., :3] / 257).max() <= 1


def test_sixteen_bit_grey_is_repeated(tmp_path):
    grey = np.random.default_rng(0).integers(0, 65536, (20, 30), np.uint16)
    Image.fromarray(grey).save(tmp_path / "in.png")
    assert np.array_equal(read_full_image(tmp_path / "in.png").pixels, np.repeat(grey[..., None], 3, axis=2))


def test_a_truncated_deep_picture_is_refused(tmp_path):
    deep = np.random.default_rng(0).integers(0, 65536, (90, 90, 3), np.uint16)
    write_strips(tmp_path / "in.png", "PNG", (90, 90), [deep], None)
    (tmp_path / "in.png").write_bytes((tmp_path / "in.png").read_bytes()[:20000])
    with pytest.raises(ValueError, match=r"in\.png is truncated or damaged"):
        read_full_image(tmp_path / "in.png")
