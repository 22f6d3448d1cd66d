"""Standardization of pixels: the layers compute (RGB - mean) / std and its inverse; wrong statistics are errors."""

import pytest
import torch
from torch import nn

from sr.models.srresnet import SRResNet
from sr.models.standardization import fold_into, pixel_layer, standardize_pixels

TINY = dict(scale=2, f=8, m=2, normalization="batch", standardized=False)
MEASURED = dict(mean=(0.45, 0.44, 0.40), std=(0.28, 0.27, 0.29))


def test_a_new_layer_is_the_identity_and_frozen() -> None:
    layer = pixel_layer(True)
    assert layer is not None and not any(p.requires_grad for p in layer.parameters())
    pixels = torch.rand(1, 3, 4, 5)
    torch.testing.assert_close(layer(pixels), pixels)


def test_a_net_without_the_layers_stays_unchanged() -> None:
    net = nn.Conv2d(3, 3, 1)
    before = net.weight.detach().clone()
    standardize_pixels(net, **MEASURED)
    assert torch.equal(net.weight, before)


def test_the_inverse_folds_into_the_last_convolution() -> None:
    torch.manual_seed(0)
    last, inverse, features = nn.Conv2d(4, 3, 3, padding=1), nn.Conv2d(3, 3, 1), torch.rand(1, 4, 6, 6)
    expected = inverse(last(features))
    fold_into(last, inverse)
    torch.testing.assert_close(last(features), expected)


def test_standardized_net_sees_zero_mean_and_gives_pixels_back() -> None:
    net = SRResNet(**TINY | {"standardized": True})
    standardize_pixels(net, **MEASURED)
    mean, std = (torch.tensor(MEASURED[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
    pixels = torch.rand(1, 3, 5, 5)
    torch.testing.assert_close(net.standardize(pixels), (pixels - mean) / std)
    torch.testing.assert_close(net.destandardize(net.standardize(pixels)), pixels)
    assert not any(p.requires_grad for part in (net.standardize, net.destandardize) for p in part.parameters())


@pytest.mark.parametrize("wrong", [{"std": (1, 1, 0)}, {"mean": (0.5,)}])
def test_statistics_that_cannot_be(wrong: dict) -> None:
    net = SRResNet(**TINY | {"standardized": True})
    with pytest.raises(ValueError, match=r"three values each for mean and std \(std > 0\)"):
        standardize_pixels(net, **MEASURED | wrong)
