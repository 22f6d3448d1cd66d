"""Frame of the target size that repeats one tile, and its output from a much smaller image.

An emulator takes seconds for a frame of 540x960. Its output is periodic where the input is, so four tiles a side and
what is left over tell all of it. Two of the inner tiles are compared; if they differ, the whole frame is run.
"""

from collections.abc import Callable
from fractions import Fraction
from math import lcm

import numpy as np

_LEAST = (32, 64)  # sides are multiples of these: the HTP compiler lays 32 columns, or 64 of stride 2, side by side
_KEPT = 4  # tiles of the smaller image: first, two inner ones, last; what is left over follows

TileRun = Callable[[np.ndarray], np.ndarray]
"""Function from uint8 pixels (h, w, C) to uint8 pixels (H, W, C)."""


def tile_size(field: int | None, *, multiple: int, scale: float) -> tuple[int, int] | None:
    """Return height and width of a tile that covers the receptive field; None if the field is unknown.

    Args:
        field: Receptive field in LR pixels.
        multiple: Sides of images have to be multiples of this.
        scale: Scale of the net; sides of the output tile are whole numbers.

    >>> tile_size(9, multiple=1, scale=2), tile_size(40, multiple=2, scale=1.5), tile_size(None, multiple=1, scale=2)
    ((32, 64), (64, 64), None)
    """
    if field is None:
        return None
    steps = [lcm(least, multiple, Fraction(scale).denominator) for least in _LEAST]
    height, width = (-(-field // step) * step for step in steps)
    return height, width


def tiled(tile: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return an image (height, width, C) that repeats a tile (h, w, C) from the upper left corner.

    >>> tiled(np.arange(2, dtype=np.uint8).reshape(1, 2, 1), 2, 3)[..., 0].tolist()
    [[0, 1, 0], [0, 1, 0]]
    """
    rows, columns = -(-height // tile.shape[0]), -(-width // tile.shape[1])
    return np.ascontiguousarray(np.tile(tile, (rows, columns, 1))[:height, :width])


def run_tiled(run: TileRun, tile: np.ndarray, height: int, width: int, scale: float, *, covers: bool) -> np.ndarray:
    """Return what a function makes of `tiled(tile, height, width)`, from a smaller image where that is possible.

    Args:
        run: The net.
        tile: uint8 (h, w, C).
        height: LR rows of the frame.
        width: LR columns of the frame.
        scale: Scale of the net.
        covers: Whether the tile covers the receptive field; if not, the whole frame is run.
    """
    if not covers:
        return run(tiled(tile, height, width))
    small = [_shortened(side, period) for side, period in zip((height, width), tile.shape, strict=False)]
    output = run(tiled(tile, *small))
    ratio = Fraction(scale)
    for axis, (side, period) in enumerate(zip((height, width), tile.shape, strict=False)):
        if small[axis] == side:
            continue
        step = int(period * ratio)
        first, second = (np.take(output, range(n * step, (n + 1) * step), axis=axis) for n in (1, 2))
        if not np.array_equal(first, second):
            return run(tiled(tile, height, width))
        head, tail = np.split(output, [2 * step], axis=axis)
        missing = (side - small[axis]) // period
        output = np.concatenate([head, *[first] * missing, tail], axis=axis)
    return output


def _shortened(side: int, period: int) -> int:
    """Return a side with fewer tiles and the same remainder.

    >>> _shortened(540, 32), _shortened(128, 32)
    (156, 128)
    """
    return side if side // period <= _KEPT else _KEPT * period + side % period
