"""The parts of a distillation loss."""

import pytest
import torch
from torch.nn import functional as F

from sr.losses.distillation_loss import attention_distance, check_share, mixed


def test_mixed_is_between_both_losses():
    sr, hr, taught = torch.rand(3, 2, 3, 4, 4)
    assert mixed(F.l1_loss, sr, hr, taught, 0) == F.l1_loss(sr, hr)
    assert mixed(F.l1_loss, sr, hr, taught, 1) == F.l1_loss(sr, taught)


def test_attention_asks_where_and_not_how_strong_nor_in_how_many_channels():
    features = torch.rand(2, 4, 5, 6)
    assert attention_distance(features, 7 * features.repeat(1, 2, 1, 1)) < 1e-12
    assert attention_distance(features, torch.rand(2, 3, 5, 6)) > 1e-4


def test_refusals():
    with pytest.raises(ValueError, match=r"task.share must be in \[0, 1\], got 2"):
        check_share("task.share", 2)
    with pytest.raises(ValueError, match="give two layers with the same height and width"):
        attention_distance(torch.rand(1, 1, 2, 2), torch.rand(1, 1, 4, 4))
