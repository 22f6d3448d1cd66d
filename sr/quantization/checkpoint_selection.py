"""Choice between the best and the last checkpoint of a training by the PSNR of each held-out image."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev


def lead_db(earlier: Sequence[float], last: Sequence[float]) -> tuple[float, float]:
    """Return the mean PSNR difference (earlier minus last) and its standard error over the images, in dB.

    Two infinite values (both outputs equal the reference) differ by 0. An infinite difference (one output of the two
    does) makes the error infinite; where such differences have both signs, the mean is 0.

    Args:
        earlier: PSNR of each image.
        last: PSNR of the same images in the same order.

    Returns:
        Mean and standard error; the error is infinite for a single image.

    >>> lead, error = lead_db([30.1, 35.2, 33.0], [30.0, 35.0, 33.0])
    >>> round(lead, 3), round(error, 3)
    (0.1, 0.058)
    >>> lead_db([math.inf, 31.0], [math.inf, 31.0])
    (0.0, 0.0)
    """
    differences = [0.0 if a == b else a - b for a, b in zip(earlier, last, strict=True)]
    infinite = {value for value in differences if math.isinf(value)}
    if infinite:
        return (0.0 if len(infinite) > 1 else infinite.pop()), math.inf
    error = stdev(differences) / math.sqrt(len(differences)) if len(differences) > 1 else math.inf
    return fmean(differences), error


def is_better(scores: Sequence[float], best: Sequence[float] | None) -> bool:
    """Return whether a state has a higher mean PSNR than the best one so far, also where some values are infinite.

    >>> is_better([math.inf, 31.0], [math.inf, 30.0]), is_better([math.inf, 30.0], [math.inf, 30.0])
    (True, False)
    """
    return best is None or lead_db(scores, best)[0] > 0
