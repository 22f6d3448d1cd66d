"""Regions in which pictures of one image differ most: a window to keep, and spots to look at."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

SPOT_SHARE = 4
"""A spot's side is the picture's shorter side by this."""
LUMA = np.array([65.481, 128.553, 24.966]) / 255


class Box(NamedTuple):
    """A rectangle in pixels."""

    x: int
    y: int
    width: int
    height: int


def disagreement(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean absolute deviation of luma from the median picture at each pixel.

    The median keeps one failed net from deciding where to look.

    Args:
        pictures: (H, W, 3) uint8 each.

    Returns:
        (H, W), in units of a byte.
    """
    luma = np.stack([picture.astype(np.float32) @ LUMA.astype(np.float32) for picture in pictures])
    deviation = np.minimum(np.abs(luma - np.median(luma, axis=0)), 64)
    return deviation.mean(axis=0)


def window(pictures: Sequence[np.ndarray], side: int) -> Box:
    """Return the window of at most `side` pixels per side (0: all) in which the pictures differ most."""
    height, width = pictures[0].shape[:2]
    if side == 0 or max(height, width) <= side:
        return Box(0, 0, width, height)
    width, height = min(side, width), min(side, height)
    return Box(*_largest(_sums(disagreement(pictures), width, height)), width, height)


def spots(pictures: Sequence[np.ndarray], count: int) -> list[Box]:
    """Return up to `count` squares without overlap in which the pictures differ most, the strongest first.

    There are fewer where the pictures are equal elsewhere.
    """
    amount = disagreement(pictures)
    side = max(1, min(amount.shape) // SPOT_SHARE)
    sums = _sums(amount, side, side)
    found: list[Box] = []
    while len(found) < count and sums.max() > 1e-6:  # cumulative sums round
        x, y = _largest(sums)
        found.append(Box(x, y, side, side))
        sums[max(0, y - side + 1) : y + side, max(0, x - side + 1) : x + side] = 0  # those would overlap it
    return found


def _sums(amount: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the sum over the rectangle that begins at each pixel, (H - height + 1, W - width + 1)."""
    total = np.pad(amount.astype(np.float64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    return total[height:, width:] - total[:-height, width:] - total[height:, :-width] + total[:-height, :-width]


def _largest(sums: np.ndarray) -> tuple[int, int]:
    """Return the place of the largest value, (x, y)."""
    y, x = np.unravel_index(int(np.argmax(sums)), sums.shape)
    return int(x), int(y)
