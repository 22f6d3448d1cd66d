"""Measure grid artefacts: the pattern of s x s pixels that depth-to-space leaves if its sub-pixels differ in level."""

import numpy as np

from sr.functional.resize import as_ratio


def phase_spread(error: np.ndarray, block: int) -> float:
    """Return the standard deviation, over the sub-pixel positions of a block, of the mean error at each position.

    Args:
        error: SR minus HR image, (H, W, C) or (H, W), any unit.
        block: Side of a block in pixels, the scale of the net; at least 1.

    Returns:
        The standard deviation over block x block positions, averaged over channels, in the unit of `error`. It is 0 if
        there is no grid, and always for a block of 1.

    Example:
        >>> phase_spread(np.tile([[1.0, 0.0], [0.0, 1.0]], (4, 4)), 2)
        0.5
    """
    planes = np.atleast_3d(np.asarray(error, np.float64))
    height, width = (size // block * block for size in planes.shape[:2])
    blocks = planes[:height, :width].reshape(height // block, block, width // block, block, -1)
    return float(blocks.mean(axis=(0, 2)).reshape(block * block, -1).std(axis=0).mean())


def border_ratio(picture: np.ndarray, block: int, start: int = 0) -> float:
    """Return the ratio of pixel differences across block borders to those inside blocks.

    With x running over the pixels of both axes, d(x) = |picture(x + 1) - picture(x)| and B the block:
    ratio = mean of d(x) where x mod B = B - 1, divided by the mean of d(x) elsewhere.

    Args:
        picture: (H, W, C) or (H, W), any unit.
        block: Side of a block in pixels, at least 2.
        start: Rows and columns that were cropped at the top and at the left.

    Returns:
        Mean absolute difference of neighbouring pixels across block borders, divided by the one inside blocks. It is 1
        without visible blocks and for a flat picture.

    Source: the generalized block-edge impairment metric of Wu and Yuen (IEEE Signal Processing Letters 4 (11), 1997)
    for the blocks of depth-to-space, without its weights for masking.

    Example:
        >>> border_ratio(np.kron(np.arange(16.0).reshape(4, 4), np.ones((2, 2))), 2) > 100
        True
    """
    planes = np.atleast_3d(np.asarray(picture, np.float64))
    across, within = [], []
    for axis in (0, 1):
        steps = np.abs(np.diff(planes, axis=axis))
        at_border = np.arange(start, start + steps.shape[axis]) % block == block - 1
        across.append(np.compress(at_border, steps, axis=axis).ravel())
        within.append(np.compress(~at_border, steps, axis=axis).ravel())
    between, inside = (float(np.concatenate(parts).mean()) for parts in (across, within))
    return 1.0 if between == inside else between / max(inside, 1e-6)


def block_artefacts(float_sr: np.ndarray, sr: np.ndarray, hr: np.ndarray, scale: float) -> dict[str, float]:
    """Measure grid artefacts in the output of a float net and of its quantized form.

    Args:
        float_sr: Output of the float net, (H, W, 3) uint8.
        sr: Output of the quantized net, same shape.
        hr: HR image, same shape.
        scale: Upscaling factor; the blocks of an x1.5 net have 3 pixels per side.

    Returns:
        `phase_spread` of both outputs in 8-bit steps (LSB), and `border_ratio` of both outputs and of the HR image.
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
