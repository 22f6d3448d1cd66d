"""ETDS: two streams that are one plain stack, published sizes, the start at nearest-neighbour upscaling."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sr.models.etds import ETDS
from sr.models.quicksrnet import QuickSRNet

SETTINGS = {"scale": 2, "f": 12, "m": 2, "low_f": 4, "activation": "relu"}
CLIP_LAYERS = 12 * 12 + 12  # parameters of the 1x1 convolution with which upstream writes the clip of x2


def build(**changes: object) -> ETDS:
    torch.manual_seed(0)
    return ETDS(**{**SETTINGS, **changes}).eval()


@torch.no_grad()
def randomised(**changes: object) -> ETDS:
    net = build(**changes)
    for parameter in net.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    return net


@pytest.mark.parametrize(("m", "f", "published"), [(5, 16, 14), (4, 32, 42), (6, 32, 60), (7, 48, 152)])
def test_published_sizes_for_inference_in_thousands(m: int, f: int, published: int) -> None:
    plain = build(m=m, f=f, low_f=3).collapse()
    assert round((sum(p.numel() for p in plain.parameters()) + CLIP_LAYERS) / 1000) == published


@pytest.mark.parametrize("scale", [2, 3, 4])
@torch.no_grad()
def test_the_second_stream_starts_as_nearest_neighbour_upscaling_and_is_not_read(scale: int) -> None:
    net, lr = build(scale=scale), torch.rand(1, 3, 5, 7)
    assert torch.equal(net.low_stream(lr), F.interpolate(lr, scale_factor=scale))
    net.conv_last.weight.zero_()
    net.conv_last.bias.zero_()
    assert torch.equal(net(lr), F.interpolate(lr, scale_factor=scale))
    assert not any(layer.weight.any() for layer in net.add_residual_convs)


@pytest.mark.parametrize("activation", ["relu", "relu1"])
@pytest.mark.parametrize("scale", [2, 3])
@torch.no_grad()
def test_against_the_two_streams_written_out(scale: int, activation: str) -> None:
    net, lr = randomised(scale=scale, activation=activation), torch.rand(2, 3, 6, 5)
    act = torch.relu if activation == "relu" else lambda x: x.clamp(0, 1)
    high, low = act(net.conv_first(lr)), act(net.conv_residual_first(lr))
    for own, residual, read in zip(net.backbone_convs, net.residual_convs, net.add_residual_convs, strict=True):
        high, low = act(own(high) + read(low)), act(residual(low))
    image = F.pixel_shuffle(net.conv_residual_last(low), scale)
    torch.testing.assert_close(net.low_stream(lr), image)
    torch.testing.assert_close(net(lr), (F.pixel_shuffle(net.conv_last(high), scale) + image).clamp(0, 1))


@torch.no_grad()
def test_it_collapses_to_quicksrnet_bit_for_bit_without_shared_tensors() -> None:
    net, lr = randomised(), torch.rand(1, 3, 6, 5)
    plain, before = net.collapse(), net(lr)
    assert type(plain) is QuickSRNet and not plain.training
    assert sum(isinstance(layer, nn.Conv2d) for layer in plain.modules()) == SETTINGS["m"] + 2
    assert torch.equal(plain(lr), before)
    for parameter in plain.parameters():
        parameter.zero_()
    assert torch.equal(net(lr), before)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": 1.5}, "ETDS cannot upscale by 1.5: its scales are 2, 3, 4"),
        ({"low_f": 2}, "low_f to be an integer of at least 3, got 2"),
        ({"f": 4}, "f to be an integer of at least 5, got 4"),
        ({"m": -1}, "m to be an integer of at least 0"),
        ({"activation": "prelu"}, "activation='prelu': choose one of relu, relu1"),
    ],
)
def test_wrong_arguments_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**changes)
