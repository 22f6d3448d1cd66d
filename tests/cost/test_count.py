"""Counting: against hand-worked numbers, against PyTorch's own FLOP counter, and against published figures."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sr.cost.count import cost, count_parameters, largest_tile
from sr.functional.resize import bicubic
from sr.models.abpn import ABPN
from sr.models.blocks import inference_form
from sr.models.edsr import EDSR


def plain_net(f: int, m: int, scale: int) -> nn.Sequential:
    """A chain of 3x3 convolutions: the cost of QuickSRNet without depending on its file."""
    body = [nn.Conv2d(3, f, 3, padding=1), nn.Hardtanh(0, 1)]
    for _ in range(m):
        body += [nn.Conv2d(f, f, 3, padding=1), nn.Hardtanh(0, 1)]
    return nn.Sequential(*body, nn.Conv2d(f, 3 * scale**2, 3, padding=1), nn.PixelShuffle(scale))


def test_counts_of_one_layer_are_the_hand_worked_ones() -> None:
    counted = cost(nn.Conv2d(3, 8, 3, padding=1), 10, 20, bytes_per_value=2)
    assert counted.parameters == 3 * 8 * 9 + 8
    assert counted.macs_g == 10 * 20 * 3 * 8 * 9 / 1e9
    assert counted.activation_kib == 10 * 20 * 8 * 2 / 1024
    assert counted.peak_layer_kib == 10 * 20 * (3 + 8) * 2 / 1024
    assert counted.to_dict()["lr_width"] == 20


@pytest.mark.parametrize(
    ("f", "m", "published"),
    [(32, 2, 11.8), (32, 5, 26.1), (64, 11, 214.7)],
)
def test_gmacs_of_the_quicksrnet_sizes_from_540p_to_1080p(f: int, m: int, published: float) -> None:
    assert cost(plain_net(f, m, 2), 540, 960).macs_g == pytest.approx(published, abs=0.06)


def test_gmacs_of_sesr_m5_collapsed() -> None:
    # 13,520 weights without biases, each used once for each of the 360 x 640 LR pixels
    layers = [nn.Conv2d(1, 16, 5, padding=2, bias=False)]
    layers += [nn.Conv2d(16, 16, 3, padding=1, bias=False) for _ in range(5)]
    net = nn.Sequential(*layers, nn.Conv2d(16, 4, 5, padding=2, bias=False), nn.PixelShuffle(2))
    net.color = "y"
    counted = cost(net, 360, 640)
    assert counted.parameters == 13_520
    assert counted.macs_g == pytest.approx(3.115, abs=0.001)


def test_gmacs_of_fsrcnn_count_the_deconvolution_by_input_pixels() -> None:
    sizes = [(1, 56, 5), (56, 12, 1), *[(12, 12, 3)] * 4, (12, 56, 1)]
    layers = [nn.Conv2d(a, b, k, padding=k // 2, bias=False) for a, b, k in sizes]
    net = nn.Sequential(*layers, nn.ConvTranspose2d(56, 1, 9, 2, 4, 1, bias=False))
    net.color = "y"
    assert count_parameters(net).total == 12_464
    assert cost(net, 360, 640).macs_g == pytest.approx(12_464 * 360 * 640 / 1e9)


@pytest.mark.parametrize(
    "net",
    [
        plain_net(8, 1, 3),
        nn.Sequential(nn.Conv2d(3, 16, 1), nn.Conv2d(16, 16, 3, groups=4), nn.Conv2d(16, 8, 3, stride=2)),
        nn.Sequential(nn.Conv2d(3, 8, 3), nn.ConvTranspose2d(8, 4, 9, stride=2, padding=4, groups=2)),
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 5)),
    ],
)
def test_macs_are_half_of_the_flops_that_pytorch_counts(net: nn.Module) -> None:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.rand(1, 3, 24, 36))
    assert cost(net, 24, 36).macs_g == counter.get_total_flops() / 2 / 1e9


def test_a_large_image_costs_no_memory_and_leaves_the_net_as_it_was() -> None:
    net = nn.Sequential(nn.Conv2d(3, 256, 3, padding=1), nn.BatchNorm2d(256), nn.Conv2d(256, 3, 3, padding=1)).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    counted = cost(net, 8640, 15360)  # 136 GB of activations, were they real
    assert counted.activation_kib > 30e6
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(module._forward_hooks for module in net.modules())


def test_operations_without_weights_cost_nothing() -> None:
    class Bicubic(nn.Module):
        def forward(self, lr: torch.Tensor) -> torch.Tensor:
            return bicubic(lr, 2)

    counted = cost(Bicubic(), 64, 64)
    assert (counted.parameters, counted.macs_g, counted.peak_layer_kib) == (0, 0, 0)


def test_a_layer_that_is_not_called_is_an_error() -> None:
    class Expanded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wide = nn.Conv2d(3, 3, 3)

        def forward(self, lr: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.conv2d(lr, self.wide.weight)

    with pytest.raises(ValueError, match=r"Expanded does not call its layers wide.*inference form"):
        cost(Expanded(), 8, 8)


def test_largest_tile_fits_and_the_next_does_not() -> None:
    net = plain_net(32, 2, 2)
    net.size_multiple = 2
    side = largest_tile(net, 8192)
    assert side % 2 == 0
    assert cost(net, side, side).peak_layer_kib <= 8192 < cost(net, side + 2, side + 2).peak_layer_kib
    assert largest_tile(net, 0.01) == 0


@pytest.mark.parametrize(
    ("net", "trainable", "frozen"),
    [
        # ABPN's x3 net and EDSR's x2 baseline with the published numbers of trainable parameters
        (
            ABPN(
                scale=3, f=28, m=5, image_space_conv=False, anchor=True, activation="relu", init="random",
                overparameterize="none",
            ),
            43_035,
            3 * 27 + 27,
        ),
        (
            ABPN(
                scale=3, f=28, m=4, image_space_conv=True, anchor=True, activation="relu", init="random",
                overparameterize="none",
            ),
            42_539,
            3 * 27 + 27,
        ),
        (EDSR(scale=2, f=64, m=16, residual_scale=1.0), 1_369_859, 3 * 3 + 3),
    ],
    ids=["abpn", "abpn_challenge", "edsr_baseline"],
)  # fmt: skip
def test_trainable_and_frozen_parameters_count_apart(net: nn.Module, trainable: int, frozen: int) -> None:
    deployed = inference_form(net)
    assert count_parameters(deployed) == (trainable, frozen)
    counted = cost(deployed, 8, 8).to_dict()
    assert (counted["trainable_parameters"], counted["parameters"]) == (trainable, trainable + frozen)
