"""Choice between the best and the last checkpoint of a training by the PSNR of each held-out image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev


def lead_db(earlier: Sequence[float], last: Sequence[float]) -> tuple[float, float]:
    """Return the mean PSNR difference (earlier minus last) and its standard error, in dB.

    Args:
        earlier: PSNR of each image after an earlier iteration, in dB.
        last: PSNR of the same images in the same order after the last iteration.

    Returns:
        The mean difference and its standard error, which is infinite for a single image.

    >>> lead, error = lead_db([30.1, 35.2, 33.0], [30.0, 35.0, 33.0])
    >>> round(lead, 3), round(error, 3)
    (0.1, 0.058)
    """
    differences = [a - b for a, b in zip(earlier, last, strict=True)]
    error = stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else math.inf
    return fmean(differences), error
