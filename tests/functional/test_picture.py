"""Pictures for display: nearest-neighbour enlargement, joining, cropping, saving."""

from pathlib import Path

import numpy as np
from PIL import Image

from sr.functional.picture import BAND, GAP, centre, enlarge, save_png, side_by_side, titled_strip


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def test_enlarge_repeats_pixels() -> None:
    lr = picture(3, 4)
    assert np.array_equal(enlarge(lr, 6, 8), lr.repeat(2, axis=0).repeat(2, axis=1))
    assert enlarge(lr, 4, 6).shape == (4, 6, 3)


def test_side_by_side_keeps_the_pictures_and_separates_them_by_white() -> None:
    left, right = picture(5, 3), picture(5, 7)
    joined = side_by_side(left, right)
    assert np.array_equal(joined[:, :3], left) and np.array_equal(joined[:, 3 + GAP :], right)
    assert (joined[:, 3 : 3 + GAP] == 255).all()


def test_titles_stand_above_pictures_that_stay_as_they_are() -> None:
    left, right = picture(5, 70), picture(5, 80)
    strip = titled_strip({"FP32": left, "": right})
    assert np.array_equal(strip[BAND:], side_by_side(left, right))
    assert (strip[:BAND, :70] < 100).any(), "letters of the first title"
    assert (strip[:BAND, 70:] == 255).all(), "no letters where the title is empty"


def test_centre_crops_evenly_and_keeps_small_pictures() -> None:
    image = picture(10, 4)
    assert np.array_equal(centre(image, 6), image[2:8])
    assert np.array_equal(centre(image, 100), image)


def test_a_saved_picture_is_read_back(tmp_path: Path) -> None:
    image = picture(6, 5)
    save_png(image, tmp_path / "image.png")
    with Image.open(tmp_path / "image.png") as read:
        assert np.array_equal(np.asarray(read), image)
