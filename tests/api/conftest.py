"""A net that the package has never seen, as a mobile engineer writes one: functional calls, one ReLU for all."""

import numpy as np
import pytest
import torch

from tests.api.foreign_net import Foreign


@pytest.fixture
def foreign() -> Foreign:
    """An RGB net x2 with random weights."""
    torch.manual_seed(0)
    return Foreign()


@pytest.fixture(scope="session")
def photos() -> list[np.ndarray]:
    """Three smooth pictures (192, 192, 3)."""
    waves = np.sin(np.arange(192)[:, None, None] / np.array([9, 13, 17]) + np.arange(192)[None, :, None] / 11)
    return [((waves * amplitude + 1) * 127).round().astype(np.uint8) for amplitude in (0.3, 0.6, 0.9)]
