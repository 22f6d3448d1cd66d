"""Pictures too large for one pass, upscaled in overlapping tiles to the very same bytes."""

from collections.abc import Iterator
from math import ceil, lcm

import numpy as np

from sr.evaluation.upscaler import Upscaler
from sr.functional.resize import as_ratio

SIDE = 512
"""LR pixels of a tile's side beside its overlap: about 80 MiB of activations for QuickSRNet-S."""
BICUBIC_REACH = 3
"""LR pixels that bicubic, which enlarges the colours of a Y net, looks to each side at most."""


def upscale_tiled(upscale: Upscaler, lr: np.ndarray, *, field: int | None, side: int = SIDE) -> np.ndarray:
    """Upscale a picture tile by tile; what a tile lacks around it lies in its overlap, which is cut off again.

    Memory beside the picture and its result is bounded by the tile, whatever the size of the picture.

    Args:
        upscale: of a net.
        lr: (h, w, 3) uint8.
        field: width in LR pixels that an output pixel of the net depends on; None, where it depends on the whole
            picture, makes one tile of it.
        side: of a tile without its overlap, in LR pixels; rounded up to where the net's grid of output pixels repeats.

    Returns:
        (ceil(s*h), ceil(s*w), 3) uint8, as the whole picture at once gives.

    Raises:
        ValueError: as `Upscaler`.
    """
    return np.concatenate(list(upscale_strips(upscale, lr, field=field, side=side)))


def upscale_strips(upscale: Upscaler, lr: np.ndarray, *, field: int | None, side: int = SIDE) -> Iterator[np.ndarray]:
    """Upscale as `upscale_tiled`, and yield the result in strips of whole rows from top to bottom.

    Args:
        upscale: as `upscale_tiled` takes it.
        lr: (h, w, 3) uint8.
        field: as `upscale_tiled` takes it.
        side: as `upscale_tiled` takes it.
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
        sr = np.empty((min(int(side * ratio), num_rows - int(top * ratio)), num_columns, 3), np.uint8)
        for left in range(0, width, side):
            above, before = min(top, overlap), min(left, overlap)
            tile = lr[top - above : top + side + overlap, left - before : left + side + overlap]
            place = sr[:, int(left * ratio) : int((left + side) * ratio)]
            y, x = int(above * ratio), int(before * ratio)
            place[:] = upscale(tile)[y : y + place.shape[0], x : x + place.shape[1]]
        yield sr
