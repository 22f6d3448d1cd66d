"""Mean and standard deviation of the training images, for a net that standardizes its pixels."""

from typing import Any

import numpy as np


def moments(image: np.ndarray) -> np.ndarray:
    """Count the pixels of an image, and sum their levels and the squares of these, exactly.

    Args:
        image: (H, W, 3) uint8.

    Returns:
        (3, 3) int64: of each colour the number of pixels, the sum and the sum of squares; those of several images add
        up.
    """
    levels = np.arange(256)
    counts = [np.bincount(image[..., channel].ravel(), minlength=256) for channel in range(3)]
    return np.array([[count.sum(), count @ levels, count @ levels**2] for count in counts], np.int64)


def mean_and_std(total: np.ndarray) -> dict[str, Any]:
    """Return mean and standard deviation of each colour over all LR pixels, RGB, in [0, 1].

    Of the LR images, because they are what a net is fed; those of the HR images differ by the detail that is missing.

    Args:
        total: (3, 3) sum of the `moments` of the images.

    >>> image = np.stack([np.zeros((2, 2)), np.full((2, 2), 255), [[0, 255], [255, 0]]], 2).astype(np.uint8)
    >>> mean_and_std(moments(image))
    {'lr_mean': [0.0, 1.0, 0.5], 'lr_std': [0.0, 0.0, 0.5]}
    """
    number, levels, squares = total.T
    mean = levels / number / 255
    std = np.sqrt(np.maximum(squares / number / 255**2 - mean**2, 0))
    return {"lr_mean": mean.round(4).tolist(), "lr_std": std.round(4).tolist()}
