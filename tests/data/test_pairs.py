"""Sequences of pairs, and crops that keep LR and HR on the same pixels."""

import pickle

import numpy as np
import pytest

from sr.data.pairs import Chain, Cropped, ImagePair, Selection, centre_crop
from sr.functional.resize import as_ratio


def position_pair(scale: float, height: int, width: int, name: str = "a") -> ImagePair:
    """An LR image whose values tell the pixel's place, and an HR image that repeats the place it came from."""
    ratio = as_ratio(scale)
    lr = np.zeros((height, width, 3), np.uint8)
    lr[..., 0], lr[..., 1] = np.indices((height, width))
    rows, columns = np.indices((int(height * ratio), int(width * ratio)))
    hr = np.stack(
        [rows * ratio.denominator // ratio.numerator, columns * ratio.denominator // ratio.numerator], axis=-1
    )
    return ImagePair(name, lr, np.dstack([hr, np.zeros_like(rows)]).astype(np.uint8))


@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
@pytest.mark.parametrize("side", [1, 17, 30, 1000])
def test_a_centre_crop_is_the_middle_of_both_images(scale: float, side: int):
    pair = position_pair(scale, 46, 60)
    crop = centre_crop(pair, scale, side)
    ratio = as_ratio(scale)
    assert crop.hr.shape[0] == crop.lr.shape[0] * ratio
    assert crop.hr.shape[1] == crop.lr.shape[1] * ratio
    assert max(crop.hr.shape[:2]) <= max(side, ratio.numerator)
    assert (crop.hr[0, 0] == crop.lr[0, 0]).all()
    assert (crop.hr[-1, -1] == crop.lr[-1, -1]).all()
    above, below = crop.lr[0, 0, 0], 45 - crop.lr[-1, 0, 0]
    assert abs(int(above) - int(below)) <= ratio.denominator


def test_selections_chains_and_crops_are_sequences():
    pairs = [position_pair(2, 8, 8, name) for name in "abcdef"]
    chain = Chain([pairs[:2], Selection(pairs, [4, 3])])
    assert [pair.name for pair in chain] == ["a", "b", "e", "d"]
    assert [pair.name for pair in chain[1:3]] == ["b", "e"]
    assert chain[-1].name == "d"
    cropped = Cropped(chain, 2, 4)
    assert len(cropped) == 4
    assert cropped[2].hr.shape == (4, 4, 3)
    assert [pair.lr.shape for pair in cropped[1:3]] == [(2, 2, 3)] * 2
    assert [pair.name for pair in pickle.loads(pickle.dumps(cropped))] == ["a", "b", "e", "d"]
