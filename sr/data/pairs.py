"""Pairs of a low-resolution and a high-resolution image, and sequences of pairs."""

from abc import abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, overload

import numpy as np

from sr.functional.resize import as_ratio


class ImagePair(NamedTuple):
    """An LR and an HR image; `hr` is exactly `scale` times as high and wide as `lr`.

    `name` is the path of the file below its folder, see `image_names`. `one_channel` is true if the HR file has grey
    values only, which a `luma_only` protocol uses as luma. `clean_lr` is the LR image before a degradation, if any.
    """

    name: str
    lr: np.ndarray  # (h, w, 3) uint8
    hr: np.ndarray  # (s*h, s*w, 3) uint8
    one_channel: bool = False
    clean_lr: np.ndarray | None = None


class Pairs(Sequence[ImagePair]):
    """A lazy sequence of pairs; a slice is a `Selection`. Subclasses define `pair` and `__len__`."""

    @abstractmethod
    def pair(self, index: int) -> ImagePair:
        """Return one pair.

        Raises:
            IndexError: If the index is too large.
        """

    @overload
    def __getitem__(self, index: int) -> ImagePair: ...
    @overload
    def __getitem__(self, index: slice) -> "Selection": ...
    def __getitem__(self, index: int | slice) -> "ImagePair | Selection":
        return Selection(self, range(len(self))[index]) if isinstance(index, slice) else self.pair(index)


class Selection(Pairs):
    """Selected pairs of a sequence.

    Args:
        pairs: The sequence.
        indices: Indices of the selected pairs, in order.
    """

    def __init__(self, pairs: Sequence[ImagePair], indices: Sequence[int]) -> None:
        self.pairs = pairs
        self.indices = tuple(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def pair(self, index: int) -> ImagePair:
        """Return one of the selected pairs."""
        return self.pairs[self.indices[index]]


class Chain(Pairs):
    """Concatenation of sequences of pairs.

    Args:
        parts: The sequences.
    """

    def __init__(self, parts: Sequence[Sequence[ImagePair]]) -> None:
        self.parts = tuple(parts)
        self._where = [(part, i) for part in self.parts for i in range(len(part))]

    def __len__(self) -> int:
        return len(self._where)

    def pair(self, index: int) -> ImagePair:
        """Return one pair."""
        part, i = self._where[index]
        return part[i]


class Renamed(Pairs):
    """The pairs of a sequence under other names.

    Args:
        pairs: The pairs.
        names: The new name of each pair.
    """

    def __init__(self, pairs: Sequence[ImagePair], names: Sequence[str]) -> None:
        self.pairs, self.names = pairs, tuple(names)

    def __len__(self) -> int:
        return len(self.names)

    def pair(self, index: int) -> ImagePair:
        """Return a pair under its new name."""
        return self.pairs[index]._replace(name=self.names[index])


class Cropped(Pairs):
    """The pairs of a sequence, cropped to the centre.

    Args:
        pairs: The whole images.
        scale: HR size / LR size.
        side: Maximum side in HR pixels, rounded down to whole LR pixels (to even ones at x1.5).
    """

    def __init__(self, pairs: Sequence[ImagePair], scale: int | float, side: int) -> None:
        self.pairs, self.scale, self.side = pairs, scale, side

    def __len__(self) -> int:
        return len(self.pairs)

    def pair(self, index: int) -> ImagePair:
        """Return the centre of one pair."""
        return centre_crop(self.pairs[index], self.scale, self.side)


def centre_crop(pair: ImagePair, scale: int | float, side: int) -> ImagePair:
    """Crop both images of a pair to the same centre.

    Args:
        pair: The whole images.
        scale: HR size / LR size = p/q; the LR crop is aligned to multiples of q, the HR crop to multiples of p.
        side: Maximum side in HR pixels.

    Example:
        >>> pair = ImagePair("a", np.zeros((20, 30, 3), np.uint8), np.zeros((40, 60, 3), np.uint8))
        >>> centre_crop(pair, 2, 17).hr.shape
        (16, 16, 3)
    """
    ratio = as_ratio(scale)
    (top, height), (left, width) = (_middle(size, ratio, side) for size in pair.lr.shape[:2])
    lr, hr = aligned_crop(pair.lr, pair.hr, ratio, top, left, height, width)
    return pair._replace(lr=lr, hr=hr)


def _middle(size: int, ratio: Fraction, side: int) -> tuple[int, int]:
    """Return start and length of the centre of an axis, in LR pixels."""
    grid = ratio.denominator
    steps = min(size // grid, max(1, side // ratio.numerator))
    return (size // grid - steps) // 2 * grid, steps * grid


def aligned_crop(
    lr: np.ndarray, hr: np.ndarray, ratio: Fraction, top: int, left: int, height: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return views of the same region of both images.

    Args:
        lr: (h, w, 3).
        hr: (s*h, s*w, 3).
        ratio: HR size / LR size.
        top: First row in LR pixels, like the next three a multiple of the denominator of `ratio`.
        left: First column in LR pixels.
        height: Height in LR pixels.
        width: Width in LR pixels.
    """
    p, q = ratio.numerator, ratio.denominator
    assert not (top % q or left % q or height % q or width % q), (top, left, height, width, ratio)
    t, le, h, w = (value * p // q for value in (top, left, height, width))
    return lr[top : top + height, left : left + width], hr[t : t + h, le : le + w]
