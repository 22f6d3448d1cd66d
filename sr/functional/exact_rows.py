"""Rows of a resized image of bytes."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np

_AT_ONCE = 1 << 15
"""Values that are summed at once: they stay in the processor's cache."""


def exact_rows(
    padded: np.ndarray,
    first: np.ndarray,
    ratio: Fraction,
    weights: np.ndarray,
    totals: np.ndarray,
    finish: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return the output rows of a resize, several at once, which small images gain from.

    The sums must be exact in any order, as those of bytes with whole weights are.

    Args:
        padded: (H, W) input rows, mirrored beyond the border.
        first: First input row of each output row.
        ratio: Output size / input size, p/q.
        weights: (p, taps) of each phase.
        totals: (p,) sum of the weights of each phase.
        finish: Rounds the quotients to uint8.

    Returns:
        (output rows, W) uint8.
    """
    p, q = ratio.numerator, ratio.denominator
    at_once = max(1, _AT_ONCE // padded.shape[1])
    out = np.empty((len(first), padded.shape[1]), np.uint8)
    for phase in range(p):
        starts = first[phase::p]  # q apart
        for i in range(0, len(starts), at_once):
            begin, end = int(starts[i]), int(starts[i : i + at_once][-1]) + 1
            total = weights[phase, 0] * padded[begin:end:q]
            for tap in range(1, weights.shape[1]):
                total += weights[phase, tap] * padded[begin + tap : end + tap : q]
            out[phase::p][i : i + at_once] = finish(total / totals[phase])
    return out
