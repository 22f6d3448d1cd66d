"""Crops for calibration: of training images, the same ones at every call."""

import numpy as np
import pytest
import torch

from sr.data.calibration_crops import calibration_crops
from sr.data.pairs import ImagePair


def test_crops_are_of_the_images_and_always_the_same():
    rng = np.random.default_rng(0)
    lr = [rng.integers(0, 256, (30 + i, 32, 3), dtype=np.uint8) for i in range(6)]
    pairs = [ImagePair(str(i), each, each.repeat(2, 0).repeat(2, 1)) for i, each in enumerate(lr)]
    fixed = {"num_batches": 3, "batch_size": 5, "scale": 2, "sampling": "uniform", "seed": 0}
    first, again = (calibration_crops(pairs, lr_patch=10, **fixed) for _ in range(2))
    assert len(first) == 3
    assert first[0].shape == (5, 3, 10, 10)
    assert first[0].dtype == torch.float32
    assert 0 <= first[0].min() < 0.25 < 0.75 < first[0].max() <= 1
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    patch = (first[2][4] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    windows = (np.lib.stride_tricks.sliding_window_view(each, patch.shape)[:, :, 0] for each in lr)
    assert any((window == patch).all(axis=(2, 3, 4)).any() for window in windows)
    with pytest.raises(ValueError, match="no training image has 99x99 LR pixels for calibration"):
        calibration_crops(pairs, lr_patch=99, **fixed)
