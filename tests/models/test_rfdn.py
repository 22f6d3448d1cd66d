"""RFDN and E-RFDN: published sizes, attention against its formula, what it refuses."""

import pytest
import torch
from torch import nn

from sr.models.rfdn import RFDN, ChannelAttention, Contrast, SpatialAttention

PAPER = {"scale": 2, "f": 48, "m": 6, "attention": "channel", "block_residual": True}
CHALLENGE = {"scale": 2, "f": 50, "m": 4, "attention": "spatial", "block_residual": False}


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize(("scale", "published"), [(2, 417_212), (3, 423_977), (4, 433_448)])
def test_published_parameter_counts_of_the_challenge_net(scale: int, published: int) -> None:
    assert count(RFDN(**(CHALLENGE | {"scale": scale}))) == published


@pytest.mark.parametrize(
    ("f", "scale", "published_k"), [(48, 2, 534), (48, 3, 541), (48, 4, 550), (52, 2, 626), (52, 3, 633), (52, 4, 643)]
)
def test_published_parameter_counts_of_the_paper(f: int, scale: int, published_k: int) -> None:
    assert round(count(RFDN(**(PAPER | {"scale": scale, "f": f}))) / 1000) == published_k


def test_contrast_is_mean_plus_standard_deviation() -> None:
    features = torch.rand(2, 5, 6, 7, dtype=torch.float64)
    want = features.mean((2, 3)) + features.std((2, 3), correction=0)
    torch.testing.assert_close(Contrast()(features).flatten(1), want)


def test_flat_channels_have_a_gradient() -> None:
    features = torch.zeros(1, 8, 4, 4, requires_grad=True)
    ChannelAttention(8)(features + 0.5).sum().backward()
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_spatial_attention_weighs_each_pixel_between_zero_and_one() -> None:
    torch.manual_seed(0)
    attention = SpatialAttention(8)
    features = torch.rand(1, 8, 15, 22) + 0.1
    weights = attention(features) / features
    assert weights.shape == features.shape
    assert weights.min() > 0
    assert weights.max() < 1


def test_smallest_image_of_the_spatial_attention() -> None:
    net = RFDN(**CHALLENGE)
    assert net.min_size == 15
    assert net(torch.rand(1, 3, 15, 15)).shape == (1, 3, 30, 30)
    with pytest.raises(RuntimeError, match="too small"):
        net(torch.rand(1, 3, 14, 15))


def test_silent_blocks_leave_the_long_skip() -> None:
    torch.manual_seed(0)
    net = RFDN(**(PAPER | {"m": 2, "scale": 3}))
    with torch.no_grad():
        net.fuse[2].weight.zero_()
        net.fuse[2].bias.zero_()
    lr = torch.rand(1, 3, 8, 9)
    torch.testing.assert_close(net(lr), nn.functional.pixel_shuffle(net.tail(net.head(lr)), 3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": 1.5}, "RFDN cannot upscale by 1.5"),
        ({"attention": "both"}, "attention='both'"),
        ({"f": 49}, "f must be even, got 49"),
        ({"m": 0}, "m to be an integer of at least 1"),
    ],
)
def test_what_it_does_not_know(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RFDN(**(PAPER | change))
