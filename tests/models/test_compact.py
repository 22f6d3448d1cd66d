"""Compact: Real-ESRGAN's parameter names and sizes, and the nearest-neighbour residual."""

import torch
from torch import nn

from sr.models.compact import Compact


def test_parameters_have_the_names_and_shapes_of_the_upstream_net() -> None:
    net = Compact(f=64, m=32, scale=4, activation="prelu")
    convs = [(64, 3), *[(64, 64)] * 32, (48, 64)]  # SRVGGNetCompact(num_feat=64, num_conv=32, upscale=4)
    wanted = {}
    for i, (out_channels, in_channels) in enumerate(convs):
        wanted |= {f"body.{2 * i}.weight": (out_channels, in_channels, 3, 3), f"body.{2 * i}.bias": (out_channels,)}
        if i < len(convs) - 1:
            wanted[f"body.{2 * i + 1}.weight"] = (64,)
    got = {name: tuple(value.shape) for name, value in net.state_dict().items() if not name.startswith("anchor.")}
    assert got == wanted


def test_without_the_body_it_upscales_by_nearest_neighbour() -> None:
    net = Compact(f=4, m=1, scale=3, activation="relu")
    nn.init.zeros_(net.body[-1].weight)
    nn.init.zeros_(net.body[-1].bias)
    lr = torch.rand(1, 3, 5, 4)
    assert torch.equal(net(lr), nn.functional.interpolate(lr, scale_factor=3, mode="nearest"))
