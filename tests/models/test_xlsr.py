import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from sr.models.xlsr import XLSR


def build(scale: float) -> XLSR:
    torch.manual_seed(0)
    return XLSR(scale=scale, overparameterize="none")


@pytest.mark.parametrize(("scale", "parameters"), [(2, 17_612), (3, 21_947), (4, 28_016)])
def test_published_parameter_counts(scale: int, parameters: int) -> None:
    assert sum(parameter.numel() for parameter in build(scale).parameters()) == parameters


@torch.no_grad()
def test_against_the_paper_with_its_four_parallel_convolutions() -> None:
    net = build(3)
    weights = net.state_dict()

    def conv(x: torch.Tensor, key: str, **kwargs: int) -> torch.Tensor:
        return F.conv2d(x, weights[f"{key}.weight"], weights[f"{key}.bias"], **kwargs)

    lr = torch.rand(1, 3, 7, 6)
    parts = zip(weights["cnn.0.weight"].chunk(4), weights["cnn.0.bias"].chunk(4), strict=True)
    x = torch.cat([F.relu(F.conv2d(lr, weight, bias, padding=1)) for weight, bias in parts], dim=1)
    x = conv(x, "cnn.2")
    for block in ("cnn.3", "cnn.4", "cnn.5"):
        x = conv(F.relu(conv(x, f"{block}.net.0", padding=1, groups=4)), f"{block}.net.2")
    x = torch.cat([x, conv(lr, "residual", padding=1)], dim=1)
    x = conv(F.relu(conv(x, "tail.0")), "tail.2", padding=1)
    torch.testing.assert_close(net(lr), F.pixel_shuffle(x, 3).clamp(0, 1))


def test_starts_small() -> None:
    for layer in build(2).modules():
        if isinstance(layer, nn.Conv2d):
            wanted = math.sqrt(0.2 / (layer.out_channels // layer.groups * layer.kernel_size[0] ** 2))
            assert layer.weight.std().item() == pytest.approx(wanted, rel=0.15)
            assert layer.bias.unique().item() == pytest.approx(0.01)


def test_a_scale_it_cannot_do_is_named() -> None:
    with pytest.raises(ValueError, match=r"XLSR cannot upscale by 1.5: its scales are 2, 3, 4"):
        build(1.5)
