"""What a net that standardizes its pixels is told: mean and standard deviation of the training images."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sr.data.pairs import ImagePair


def described(pairs: Sequence[ImagePair]) -> dict[str, Any]:
    """Count the images; mean and standard deviation of each colour over all LR pixels, RGB, in [0, 1].

    Of the LR images, because they are what a net is fed; those of the HR images differ by the detail that is missing.

    >>> image = np.stack([np.zeros((2, 2)), np.full((2, 2), 255), [[0, 255], [255, 0]]], 2).astype(np.uint8)
    >>> described([ImagePair("a", image, image)])
    {'num_images': 1, 'lr_mean': [0.0, 1.0, 0.5], 'lr_std': [0.0, 0.0, 0.5]}
    """
    levels = np.arange(256) / 255
    counts = np.zeros((3, 256), np.int64)  # exact, whatever the number of pixels
    for pair in pairs:
        counts += [np.bincount(pair.lr[..., channel].ravel(), minlength=256) for channel in range(3)]
    share = counts / counts.sum(1, keepdims=True)
    mean = share @ levels
    std = np.sqrt(np.maximum(share @ levels**2 - mean**2, 0))
    return {"num_images": len(pairs), "lr_mean": mean.round(4).tolist(), "lr_std": std.round(4).tolist()}
