"""JPEG files written in strips hold the pixels of one pass."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage import data

from sr.data.jpeg_strips import STRIP_ROWS, write_jpeg

PHOTO = np.ascontiguousarray(np.tile(data.astronaut(), (2, 1, 1))[:777, :501])


def _one_pass(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="JPEG", quality=quality, subsampling=0)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize("height", [1, 8, 63, 64, STRIP_ROWS, STRIP_ROWS + 1, 3 * STRIP_ROWS, 777])
@pytest.mark.parametrize("rows", [100, 1000])
def test_the_pixels_are_those_of_one_pass(tmp_path: Path, height: int, rows: int) -> None:
    image = PHOTO[:height]
    for quality in (60, 95):
        with open(tmp_path / "a.jpg", "wb") as file:
            write_jpeg(file, height, (image[top : top + rows] for top in range(0, height, rows)), quality)
        with Image.open(tmp_path / "a.jpg") as read:
            assert (read.size, read.mode, read.format) == ((501, height), "RGB", "JPEG")
            np.testing.assert_array_equal(np.asarray(read), _one_pass(image, quality))


def test_the_profile_is_kept_and_other_decoders_read_the_file(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with open(tmp_path / "a.jpg", "wb") as file:
        write_jpeg(file, len(PHOTO), [PHOTO], 95, profile)
    with Image.open(tmp_path / "a.jpg") as read:
        assert read.info["icc_profile"] == profile
        ours = np.asarray(read)
    from torchvision.io import decode_image, read_file

    theirs = decode_image(read_file(str(tmp_path / "a.jpg"))).numpy().transpose(1, 2, 0)
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_a_file_is_hardly_larger_than_that_of_one_pass(tmp_path: Path) -> None:
    with open(tmp_path / "a.jpg", "wb") as file:
        write_jpeg(file, len(PHOTO), [PHOTO], 95)
    Image.fromarray(PHOTO).save(tmp_path / "b.jpg", quality=95, subsampling=0)
    assert (tmp_path / "a.jpg").stat().st_size < 1.01 * (tmp_path / "b.jpg").stat().st_size
