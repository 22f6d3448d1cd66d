"""Tiled upscaling of large images in bounded memory, with the same result as in one pass."""

from collections.abc import Iterator
from math import ceil, lcm

import numpy as np

from sr.evaluation.upscaler import Upscaler
from sr.functional.resize import as_ratio

SIDE = 512
"""Side of a tile in LR pixels without its overlap; QuickSRNet-S needs about 80 MiB for its activations."""
BICUBIC_REACH = 3
"""Receptive field of bicubic in LR pixels to each side; it upscales Cb and Cr of a Y net."""


def upscale_tiled(upscale: Upscaler, lr: np.ndarray, *, field: int | None, side: int = SIDE) -> np.ndarray:
    """Upscale an image in overlapping tiles; the overlap is cropped from the result.

    Besides the image and its result, the memory depends only on the size of a tile.

    Args:
        upscale: Upscaler of a net.
        lr: (h, w, 3) uint8 or uint16.
        field: Receptive field of the net in LR pixels; None (the whole image) disables tiling.
        side: Side of a tile in LR pixels without its overlap, rounded up to the period of the net's output grid.

    Returns:
        (ceil(s*h), ceil(s*w), 3) of the type of lr, equal to the result in one pass.

    Raises:
        ValueError: As `Upscaler`.
    """
    return np.concatenate(list(upscale_strips(upscale, lr, field=field, side=side)))


def upscale_strips(upscale: Upscaler, lr: np.ndarray, *, field: int | None, side: int = SIDE) -> Iterator[np.ndarray]:
    """Upscale as `upscale_tiled`, but yield the result in strips of whole rows from top to bottom.

    Args:
        upscale: As in `upscale_tiled`.
        lr: (h, w, 3) uint8 or uint16.
        field: As in `upscale_tiled`.
        side: As in `upscale_tiled`.

    Yields:
        (rows, ceil(s*w), 3) of the type of lr.
    """
    height, width = lr.shape[:2]
    if field is None or max(height, width) <= side:
        yield upscale(lr)
        return
    ratio = as_ratio(upscale.scale)
    period = lcm(upscale.size_multiple, ratio.denominator)
    side, overlap = (-(-size // period) * period for size in (side, max(field, BICUBIC_REACH)))
    num_rows, num_columns = ceil(height * ratio), ceil(width * ratio)
    for top in range(0, height, side):
        sr = np.empty((min(int(side * ratio), num_rows - int(top * ratio)), num_columns, 3), lr.dtype)
        for left in range(0, width, side):
            above, before = min(top, overlap), min(left, overlap)
            tile = lr[top - above : top + side + overlap, left - before : left + side + overlap]
            place = sr[:, int(left * ratio) : int((left + side) * ratio)]
            y, x = int(above * ratio), int(before * ratio)
            place[:] = upscale(tile)[y : y + place.shape[0], x : x + place.shape[1]]
        yield sr
