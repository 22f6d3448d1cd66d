"""Upscale a large image in overlapping tiles: the memory is that of a tile, and the result that of one pass."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import ceil
from typing import NamedTuple

import numpy as np

WHOLE_PX = 2**20
"""LR pixels of the largest image that is upscaled in one pass; 32 channels of it take 128 MiB in fp32."""
SIDE = 512
"""Largest side of a tile in LR pixels without its overlap."""
BICUBIC_REACH = 3
"""Receptive field of bicubic in LR pixels to each side; it upscales Cb and Cr of a Y net."""


class Cut(NamedTuple):
    """One interval of an axis: pixels [start, stop) are upscaled, and the result of [first, last) is kept."""

    start: int
    stop: int
    first: int
    last: int

    def kept(self, ratio: Fraction) -> slice:
        """Return the kept part of the upscaled interval."""
        return slice(int((self.first - self.start) * ratio), ceil((self.last - self.start) * ratio))


def cuts(size: int, *, side: int, overlap: int, period: int) -> list[Cut]:
    """Cut an axis into intervals of equal length: runtimes compile a graph once for each size of its input.

    Args:
        size: Length of the axis in pixels.
        side: Largest number of pixels of which the result is kept, rounded up to whole periods.
        overlap: Pixels that are needed on each side of them, in whole periods.
        period: Each interval starts at a multiple of it.

    Example:
        >>> cuts(10, side=5, overlap=1, period=1)
        [Cut(start=0, stop=7, first=0, last=5), Cut(start=3, stop=10, first=5, last=10)]
    """
    kept = -(-ceil(size / ceil(size / side)) // period) * period
    length = kept + 2 * overlap
    latest = max(0, -(-(size - length) // period) * period)
    starts = ((first, min(max(0, first - overlap), latest)) for first in range(0, size, kept))
    return [Cut(start, min(start + length, size), first, min(first + kept, size)) for first, start in starts]


def tile_strips(
    upscale: Callable[[np.ndarray], np.ndarray],
    lr: np.ndarray,
    *,
    ratio: Fraction,
    period: int,
    field: int,
    side: int = SIDE,
) -> Iterator[np.ndarray]:
    """Upscale an image in overlapping tiles, and yield strips of whole rows from top to bottom.

    Args:
        upscale: Function (h, w, ...) -> (ceil(s*h), ceil(s*w), ...).
        lr: (h, w, ...).
        ratio: Upscaling factor s.
        period: Pixels after which the grid of the result repeats; a multiple of the denominator of s.
        field: Receptive field of the function in LR pixels.
        side: Largest side of a tile in LR pixels without its overlap.

    Yields:
        (rows, ceil(s*w), ...); joined they are the result in one pass.
    """
    overlap = -(-max(field, BICUBIC_REACH) // period) * period
    down, across = (cuts(size, side=side, overlap=overlap, period=period) for size in lr.shape[:2])
    for rows in down:
        parts = []
        for columns in across:
            sr = upscale(lr[rows.start : rows.stop, columns.start : columns.stop])
            parts.append(sr[rows.kept(ratio), columns.kept(ratio)])
        yield np.concatenate(parts, axis=1)
