"""Mean and standard deviation of the training images, for nets that standardize their input."""

from typing import Any

import numpy as np


def moments(image: np.ndarray) -> np.ndarray:
    """Return the number of pixels of an image, the sum of their values and the sum of their squares.

    Args:
        image: (H, W, 3) uint8.

    Returns:
        (3, 3) int64: a row with these three numbers for each channel. The results of several images can be added.
    """
    levels = np.arange(256)
    counts = [np.bincount(image[..., channel].ravel(), minlength=256) for channel in range(3)]
    return np.array([[count.sum(), count @ levels, count @ levels**2] for count in counts], np.int64)


def mean_and_std(total: np.ndarray) -> dict[str, Any]:
    """Return mean and standard deviation of each channel over all LR pixels, RGB, in [0, 1].

    LR images are used, because they are the input of a net; HR images have more detail.

    Args:
        total: (3, 3) sum of the `moments` of the images.

    Example:
        >>> image = np.stack([np.zeros((2, 2)), np.full((2, 2), 255), [[0, 255], [255, 0]]], 2).astype(np.uint8)
        >>> mean_and_std(moments(image))
        {'lr_mean': [0.0, 1.0, 0.5], 'lr_std': [0.0, 0.0, 0.5]}
    """
    number, levels, squares = total.T
    mean = levels / number / 255
    std = np.sqrt(np.maximum(squares / number / 255**2 - mean**2, 0))
    return {"lr_mean": mean.round(4).tolist(), "lr_std": std.round(4).tolist()}
