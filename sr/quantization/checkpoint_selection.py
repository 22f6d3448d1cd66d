"""Which of a training's states is kept, decided by the PSNR of each held-out image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev


def lead_db(earlier: Sequence[float], last: Sequence[float]) -> tuple[float, float]:
    """How far an earlier state is ahead of the last one, and the standard error of that over the images, in dB.

    Args:
        earlier: PSNR of each image.
        last: of the same images in the same order.

    Returns:
        Mean of the differences and its standard error; infinite for a single image, which tells nothing of others.

    >>> lead, error = lead_db([30.1, 35.2, 33.0], [30.0, 35.0, 33.0])
    >>> round(lead, 3), round(error, 3)
    (0.1, 0.058)
    """
    differences = [a - b for a, b in zip(earlier, last, strict=True)]
    error = stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else math.inf
    return fmean(differences), error
