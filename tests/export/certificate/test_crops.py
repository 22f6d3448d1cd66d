"""The crops of the proof: the middles of the first images, of one size."""

import numpy as np
import pytest

from sr.data.pairs import ImagePair
from sr.export.certificate.crops import cut_crops


def pair(height: int, width: int, scale: float) -> ImagePair:
    """An empty image."""
    return ImagePair(
        "a", np.zeros((height, width, 3), np.uint8), np.zeros((int(height * scale), int(width * scale), 3), np.uint8)
    )


@pytest.mark.parametrize(
    ("scale", "multiple", "sides", "side"),
    [
        (2, 1, [(40, 50), (60, 60)], 32),
        (2, 1, [(40, 50), (25, 60)], 25),
        (1.5, 2, [(40, 50), (26, 60)], 26),
        (3, 4, [(39, 41)], 32),
    ],
)
def test_one_size_for_all(scale: float, multiple: int, sides: list[tuple[int, int]], side: int) -> None:
    cut = cut_crops([pair(*size, scale) for size in sides], scale=scale, multiple=multiple, count=6, lr_side=32)
    assert {crop.lr.shape for crop in cut} == {(side, side, 3)}
    assert {crop.hr.shape for crop in cut} == {(int(side * scale), int(side * scale), 3)}


def test_no_more_than_asked_for() -> None:
    assert len(cut_crops([pair(20, 20, 2)] * 5, scale=2, multiple=1, count=3, lr_side=32)) == 3


def test_no_image() -> None:
    with pytest.raises(ValueError, match="proven on images, got none"):
        cut_crops([], scale=2, multiple=1, count=3, lr_side=32)
