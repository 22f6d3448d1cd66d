"""The crops on which an export is proven."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

from sr.data.pairs import ImagePair, centre_crop


def cut_crops(pairs: Sequence[ImagePair], *, scale: float, multiple: int, count: int, lr_side: int) -> list[ImagePair]:
    """The middles of the first few images, all of one size, because every size is compiled for the HTP anew.

    Args:
        pairs: whole images, or crops already.
        scale: theirs.
        multiple: LR sides have to be multiples of this.
        count: how many crops at most.
        lr_side: LR pixels per side; smaller when an image is smaller.

    Raises:
        ValueError: no image at all.
    """
    chosen = [pairs[index] for index in range(min(count, len(pairs)))]
    if not chosen:
        raise ValueError("the export is proven on images, got none: give the data a test set, or held-out images")
    ratio = Fraction(scale)
    grid = lcm(multiple, ratio.denominator)
    side = min(lr_side, *(min(pair.lr.shape[:2]) for pair in chosen)) // grid * grid
    return [centre_crop(pair, scale, int(side * ratio)) for pair in chosen]
