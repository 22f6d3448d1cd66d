"""Which images are held out, and what happens to small ones."""

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr.data.cache import SourceImage, decoded
from sr.data.pixel_map import PixelMap
from sr.data.split import every_nth, large_enough


@pytest.mark.parametrize("lengths", [[10], [3, 4, 13], [1, 1], [2], [100, 1, 1]])
def test_a_split_is_whole_and_even(lengths: list[int]):
    split = every_nth(lengths, 5)
    assert [sorted(train + heldout) for train, heldout in split] == [list(range(length)) for length in lengths]
    assert sum(len(heldout) for _, heldout in split) == max(1, sum(lengths) // 5)
    assert every_nth(lengths, 5) == split


def test_one_image_cannot_be_split():
    with pytest.raises(ValueError, match=r"single image.*add images"):
        every_nth([1], 10)


@pytest.fixture
def maps(tmp_path: Path) -> list[PixelMap]:
    images = []
    for name, side in (("large", 40), ("small", 20), ("flat", 40)):
        pixels = np.zeros((14 if name == "flat" else side, side, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        images.append(SourceImage(name, tmp_path / f"{name}.png", None))
    return [decoded(images, scale=2, shrink=1, cache=tmp_path / "cache")]


def test_small_images_are_refused_by_name(maps: list[PixelMap]):
    assert large_enough(maps, [[0, 1, 2]], 7, "refuse") == [[0, 1, 2]]
    with pytest.raises(
        ValueError, match=r"2 training images are smaller than a patch of 12x12 LR pixels \(small, flat\); lower"
    ):
        large_enough(maps, [[0, 1, 2]], 12, "refuse")


def test_small_images_are_skipped_aloud(maps: list[PixelMap], caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING):
        assert large_enough(maps, [[0, 1, 2]], 12, "skip") == [[0]]
    assert (
        "2 training images are smaller than a patch of 12x12 LR pixels (small, flat); they are skipped" in caplog.text
    )
    with pytest.raises(ValueError, match="3 training images are smaller"):
        large_enough(maps, [[0, 1, 2]], 24, "skip")
