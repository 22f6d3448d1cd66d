"""Photographs as pairs and as the images of the stages."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr.api.foreign import adopt
from sr.api.photos import embedded_photos, pairs_of, stage_images
from sr.building import compose
from sr.config.composition import plain
from tests.api.foreign_net import Foreign


def test_arrays_pictures_files_and_folders_give_the_same_pairs(photos: list[np.ndarray], tmp_path: Path) -> None:
    Image.fromarray(photos[0]).save(tmp_path / "a.png")
    given = [photos[:1], [Image.fromarray(photos[0])], [tmp_path / "a.png"], tmp_path, str(tmp_path / "a.png")]
    for pairs in (pairs_of(each, 3) for each in given):
        (pair,) = [pairs[index] for index in range(len(pairs))]
        assert pair.lr.shape == (64, 64, 3) and np.array_equal(pair.hr, photos[0])
        assert np.array_equal(pair.lr, pairs_of(photos[:1], 3)[0].lr)


def test_pairs_are_taken_as_they_are(photos: list[np.ndarray]) -> None:
    (pair,) = pairs_of([(photos[0][::2, ::2], photos[0])], 2)
    assert np.array_equal(pair.lr, photos[0][::2, ::2])


@pytest.mark.parametrize(
    "given, message",
    [
        ([], "there are no photographs; give a folder or a list of images"),
        ([np.zeros((8, 8, 3))], r"photo_0: an RGB image \(H, W, 3\) of type uint8 is needed, got .* of float64"),
        ([(np.zeros((8, 8, 3), np.uint8), np.zeros((24, 24, 3), np.uint8))], r"photo_0 pairs \(8, 8\) with \(24, 24\)"),
        ("/no/such/folder", "no folder"),
    ],
)
def test_other_photographs_are_refused(given: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pairs_of(given, 2)


def test_stages_get_crops_batches_and_heldout_pictures(photos: list[np.ndarray]) -> None:
    images = stage_images(photos, adopt(Foreign()), compose([]).data)
    (crops,) = images.calibration(1, 2)
    assert crops.shape == (2, 3, 48, 48) and float(crops.min()) >= 0 and float(crops.max()) <= 1
    lr, hr = next(iter(images.stream(0)))
    assert lr.shape[2:] == (48, 48) and hr.shape[2:] == (96, 96)
    assert [pair.name for pair in images.heldout()] == ["photo_0"] and len(images.test_sets()["photos"]) == 3


def test_the_embedded_photographs_are_there() -> None:
    files = embedded_photos(plain(compose([]).data)["sources"])
    assert len(files) == 5 and all(path.is_file() for path in files)
