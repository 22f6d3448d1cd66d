"""Discriminators: layers and counts of the papers, one logit where they have one, refusals."""

import pytest
import torch
from torch import nn

from sr.models.discriminators import ESRGANDiscriminator, PatchDiscriminator, SRGANDiscriminator, UNetDiscriminator


def convs(net: nn.Module) -> list[tuple[int, tuple[int, int], tuple[int, int]]]:
    found = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    return [(layer.out_channels, layer.kernel_size, layer.stride) for layer in found]


def test_srgan_is_the_papers_figure() -> None:
    net = SRGANDiscriminator(hr_patch=96, f=64)
    widths, strides = [64, 64, 128, 128, 256, 256, 512, 512], [1, 2] * 4
    assert convs(net) == [(w, (3, 3), (s, s)) for w, s in zip(widths, strides, strict=True)]
    linear = [(layer.in_features, layer.out_features) for layer in net.modules() if isinstance(layer, nn.Linear)]
    assert linear == [(512 * 6 * 6, 1024), (1024, 1)]
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in net.modules()) == 7, "not behind the first"


def test_esrgan_is_the_code_of_the_authors() -> None:
    net = ESRGANDiscriminator(hr_patch=128, f=64)
    widths = [64, 64, 128, 128, 256, 256, 512, 512, 512, 512]
    assert convs(net) == [(w, (3 + i % 2,) * 2, (1 + i % 2,) * 2) for i, w in enumerate(widths)]
    linear = [(layer.in_features, layer.out_features) for layer in net.modules() if isinstance(layer, nn.Linear)]
    assert linear == [(8192, 100), (100, 1)]
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in net.modules()) == 9
    weights = 3 * 64 * 9 + 64 + sum(w_in * w * k for w_in, w, k in zip(widths, widths[1:], [16, 9] * 5, strict=False))
    total = weights + 2 * sum(widths[1:]) + 8192 * 100 + 100 + 100 + 1
    assert sum(parameter.numel() for parameter in net.parameters()) == total


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (SRGANDiscriminator(hr_patch=32, f=4), (2, 1)),
        (ESRGANDiscriminator(hr_patch=32, f=4), (2, 1)),
        (PatchDiscriminator(f=4, num_halvings=2, normalization="none"), (2, 1, 8, 8)),
        (PatchDiscriminator(f=4, num_halvings=2, normalization="spectral"), (2, 1, 8, 8)),
        (UNetDiscriminator(hr_patch=32, f=4), (2, 1, 32, 32)),
    ],
)
def test_shapes_and_that_every_parameter_learns(net: nn.Module, shape: tuple[int, ...]) -> None:
    logits = net(torch.rand(2, 3, 32, 32))
    assert logits.shape == shape
    logits.square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in net.parameters())


@pytest.mark.parametrize(("halvings", "side"), [(2, 26), (3, 54)])
def test_patch_sees_the_neighbourhood_that_it_says(halvings: int, side: int) -> None:
    torch.manual_seed(0)
    images = torch.rand(1, 3, 128, 128, requires_grad=True)
    logits = PatchDiscriminator(f=4, num_halvings=halvings, normalization="none")(images)
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    rows = images.grad.abs().sum((0, 1, 3)).nonzero()
    assert int(rows.max() - rows.min()) + 1 == side


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SRGANDiscriminator(hr_patch=100, f=4), "multiple of 16 pixels, got 100.*lr_patch"),
        (lambda: ESRGANDiscriminator(hr_patch=48, f=4), "multiple of 32 pixels, got 48"),
        (lambda: ESRGANDiscriminator(hr_patch=32, f=4)(torch.rand(2, 3, 64, 64)), r"made for 32x32 pixels"),
        (lambda: UNetDiscriminator(hr_patch=60, f=4), "multiple of 8 pixels, got 60"),
        (lambda: PatchDiscriminator(f=0, num_halvings=2, normalization="none"), "f to be an integer of at least 1"),
    ],
)
def test_refusals(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
