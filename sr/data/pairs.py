"""What all data here is made of: a low-resolution image and the high-resolution image that it came from."""

from abc import abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, overload

import numpy as np

from sr.functional.resize import as_ratio


class ImagePair(NamedTuple):
    """One image twice: `hr` is exactly `scale` times as high and wide as `lr`.

    `name` is the file's path below its folder, without the ending unless two files differ in it alone; `one_channel`:
    the HR file holds grey values only, which a luma-only protocol takes as luma.
    """

    name: str
    lr: np.ndarray  # (h, w, 3) uint8
    hr: np.ndarray  # (s*h, s*w, 3) uint8
    one_channel: bool = False


class Pairs(Sequence[ImagePair]):
    """A sequence of pairs, looked up one by one when asked for; a slice is a `Selection`. A subclass has a length."""

    @abstractmethod
    def pair(self, index: int) -> ImagePair:
        """Look up one pair.

        Raises:
            IndexError: there are not so many.
        """

    @overload
    def __getitem__(self, index: int) -> ImagePair: ...
    @overload
    def __getitem__(self, index: slice) -> "Selection": ...
    def __getitem__(self, index: int | slice) -> "ImagePair | Selection":
        return Selection(self, range(len(self))[index]) if isinstance(index, slice) else self.pair(index)


class Selection(Pairs):
    """Chosen pairs of a longer sequence.

    Args:
        pairs: the longer sequence.
        indices: which of its pairs, in which order.
    """

    def __init__(self, pairs: Sequence[ImagePair], indices: Sequence[int]) -> None:
        self.pairs = pairs
        self.indices = tuple(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def pair(self, index: int) -> ImagePair:
        """One of the chosen pairs."""
        return self.pairs[self.indices[index]]


class Chain(Pairs):
    """Several sequences of pairs, one after the other.

    Args:
        parts: the sequences.
    """

    def __init__(self, parts: Sequence[Sequence[ImagePair]]) -> None:
        self.parts = tuple(parts)
        self._where = [(part, i) for part in self.parts for i in range(len(part))]

    def __len__(self) -> int:
        return len(self._where)

    def pair(self, index: int) -> ImagePair:
        """A pair of the part that the index falls into."""
        part, i = self._where[index]
        return part[i]


class Renamed(Pairs):
    """The pairs of a sequence under other names.

    Args:
        pairs: the images.
        names: of each.
    """

    def __init__(self, pairs: Sequence[ImagePair], names: Sequence[str]) -> None:
        self.pairs, self.names = pairs, tuple(names)

    def __len__(self) -> int:
        return len(self.names)

    def pair(self, index: int) -> ImagePair:
        """Return a pair under its other name."""
        return self.pairs[index]._replace(name=self.names[index])


class Cropped(Pairs):
    """The pairs of a sequence, each cut down to the middle of its image.

    Args:
        pairs: the whole images.
        scale: their scale.
        side: largest side in HR pixels; rounded down to whole LR pixels (pairs of them at x1.5).
    """

    def __init__(self, pairs: Sequence[ImagePair], scale: int | float, side: int) -> None:
        self.pairs, self.scale, self.side = pairs, scale, side

    def __len__(self) -> int:
        return len(self.pairs)

    def pair(self, index: int) -> ImagePair:
        """The middle of one image."""
        return centre_crop(self.pairs[index], self.scale, self.side)


def centre_crop(pair: ImagePair, scale: int | float, side: int) -> ImagePair:
    """Cut the middle out of a pair, both images at the same place.

    Args:
        pair: whole images.
        scale: p/q; the LR crop starts and ends on multiples of q (2 at x1.5), the HR one on multiples of p.
        side: HR pixels per side at most.

    >>> pair = ImagePair("a", np.zeros((20, 30, 3), np.uint8), np.zeros((40, 60, 3), np.uint8))
    >>> centre_crop(pair, 2, 17).hr.shape
    (16, 16, 3)
    """
    ratio = as_ratio(scale)
    (top, height), (left, width) = (_middle(size, ratio, side) for size in pair.lr.shape[:2])
    lr, hr = aligned_crop(pair.lr, pair.hr, ratio, top, left, height, width)
    return pair._replace(lr=lr, hr=hr)


def _middle(size: int, ratio: Fraction, side: int) -> tuple[int, int]:
    """Start and length in LR pixels of the middle of an axis."""
    grid = ratio.denominator
    steps = min(size // grid, max(1, side // ratio.numerator))
    return (size // grid - steps) // 2 * grid, steps * grid


def aligned_crop(
    lr: np.ndarray, hr: np.ndarray, ratio: Fraction, top: int, left: int, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Views of the same region of both images; the four numbers are LR pixels, multiples of the ratio's denominator."""
    p, q = ratio.numerator, ratio.denominator
    assert not (top % q or left % q or height % q or width % q), (top, left, height, width, ratio)
    t, le, h, w = (value * p // q for value in (top, left, height, width))
    return lr[top : top + height, left : left + width], hr[t : t + h, le : le + w]
