"""Crops on which the forms of a net are compared."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

from sr.data.pairs import ImagePair, centre_crop


def cut_crops(pairs: Sequence[ImagePair], *, scale: float, multiple: int, count: int, lr_side: int) -> list[ImagePair]:
    """Return centre crops of the first few images, all of one size, because the HTP compiles every size separately.

    Args:
        pairs: Whole images, or crops.
        scale: Their scale.
        multiple: LR sides are multiples of this.
        count: Largest number of crops.
        lr_side: LR pixels per side; less if an image is smaller.

    Raises:
        ValueError: There is no image.
    """
    chosen = [pairs[index] for index in range(min(count, len(pairs)))]
    if not chosen:
        raise ValueError("the export is proven on images, got none: give the data a test set, or held-out images")
    ratio = Fraction(scale)
    grid = lcm(multiple, ratio.denominator)
    side = min(lr_side, *(min(pair.lr.shape[:2]) for pair in chosen)) // grid * grid
    return [centre_crop(pair, scale, int(side * ratio)) for pair in chosen]
