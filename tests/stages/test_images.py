"""Which test images are shown."""

import numpy as np
import pytest

from sr.data.pairs import ImagePair
from sr.stages.images import Images, chosen_images

PIXELS = np.zeros((2, 2, 3), np.uint8)
SETS = {name: [ImagePair(f"{name}{i}", PIXELS, PIXELS) for i in range(3)] for name in ("a", "b")}


def chosen(names=(), first=1) -> list[str]:
    return [f"{name}/{pair.name}" for name, pair in chosen_images(SETS, names, first)]


def test_the_first_of_each_set_unless_told():
    assert chosen() == ["a/a0", "b/b0"]
    assert chosen(first=2) == ["a/a0", "a/a1", "b/b0", "b/b1"]
    assert chosen(first=9) == [f"{name}/{name}{i}" for name in "ab" for i in range(3)]


def test_named_images_and_the_first_of_sets_without_one():
    assert chosen(names=["a2", "a1"]) == ["a/a1", "a/a2", "b/b0"]


def test_a_name_that_no_set_has_and_no_image_at_all_are_refused():
    with pytest.raises(ValueError, match=r"images\.names has c1; the test sets have a0, a1"):
        chosen(names=["a1", "c1"])
    for wrong in ({"first": 0}, {"crop": 0}):
        with pytest.raises(ValueError, match=r"callbacks\.images\.(first|crop) is a whole number"):
            Images(**({"crop": 8, "names": [], "first": 1} | wrong))
