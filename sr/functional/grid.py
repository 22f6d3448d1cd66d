"""Block artefacts: the pattern of s x s pixels that a net's sub-pixels leave when they are not of one brightness."""

from __future__ import annotations

import numpy as np

from sr.functional.resize import as_ratio


def phase_spread(error: np.ndarray, block: int) -> float:
    """How far the sub-pixels of a block are apart on average: what remains of a grid over the whole picture.

    Args:
        error: picture less the true one, (H, W, C) or (H, W), any unit.
        block: side of a block in pixels, the scale of the net; at least 1.

    Returns:
        Standard deviation over the block x block phases of the mean error, averaged over channels, in the unit of
        `error`; 0 where there is no grid, and always for a block of 1.

    >>> phase_spread(np.tile([[1.0, 0.0], [0.0, 1.0]], (4, 4)), 2)
    0.5
    """
    planes = np.atleast_3d(np.asarray(error, np.float64))
    height, width = (size // block * block for size in planes.shape[:2])
    blocks = planes[:height, :width].reshape(height // block, block, width // block, block, -1)
    return float(blocks.mean(axis=(0, 2)).reshape(block * block, -1).std(axis=0).mean())


def border_ratio(picture: np.ndarray, block: int) -> float:
    """How much steeper a picture is between blocks than within them: 1 where blocks do not show.

    Args:
        picture: (H, W, C) or (H, W), any unit.
        block: side of a block in pixels, at least 2.

    Returns:
        Mean absolute difference of neighbours across the borders of blocks over that within blocks; also 1 where the
        picture is flat.

    >>> border_ratio(np.kron(np.arange(16.0).reshape(4, 4), np.ones((2, 2))), 2) > 100
    True
    """
    planes = np.atleast_3d(np.asarray(picture, np.float64))
    across, within = [], []
    for axis in (0, 1):
        steps = np.abs(np.diff(planes, axis=axis))
        at_border = np.arange(steps.shape[axis]) % block == block - 1
        across.append(np.compress(at_border, steps, axis=axis).ravel())
        within.append(np.compress(~at_border, steps, axis=axis).ravel())
    between, inside = (float(np.concatenate(parts).mean()) for parts in (across, within))
    return 1.0 if between == inside else between / max(inside, 1e-6)


def block_artefacts(float_sr: np.ndarray, sr: np.ndarray, hr: np.ndarray, scale: float) -> dict[str, float]:
    """Both measures for the pictures of a float net, of its quantized form, and of the truth.

    Args:
        float_sr: (H, W, 3) uint8.
        sr: the quantized net's, of the same size.
        hr: the true picture, of the same size.
        scale: of the net; the blocks of an x1.5 net have 3 pixels.
    """
    block = as_ratio(scale).numerator
    true = hr.astype(np.int16)
    return {
        "float_phase_spread_lsb": phase_spread(float_sr - true, block),
        "quantized_phase_spread_lsb": phase_spread(sr - true, block),
        "float_border_ratio": border_ratio(float_sr, block),
        "quantized_border_ratio": border_ratio(sr, block),
        "hr_border_ratio": border_ratio(hr, block),
    }
