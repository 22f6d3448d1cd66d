"""RRDBNet and MESRNet: the published parameter count, small residuals, the collapsed net."""

import pytest
import torch
from torch import nn

from sr.models.mesrnet import MESRNet
from sr.models.rrdbnet import RRDB, DenseBlock, RRDBNet
from sr.models.standardization import standardize_pixels

ESRGAN = dict(scale=4, f=64, growth=32, m=23, standardized=False)
TINY = dict(scale=2, f=8, growth=4, m=2, standardized=False)


def count(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def test_published_parameter_count() -> None:
    assert count(RRDBNet(**ESRGAN)) == 16_697_987


@pytest.mark.parametrize("make", [RRDBNet, lambda **sizes: MESRNet(**sizes, expansion=1)])
def test_a_block_starts_near_the_identity(make) -> None:
    torch.manual_seed(0)
    block = next(part for part in make(**TINY).modules() if isinstance(part, RRDB))
    features = torch.rand(1, 8, 9, 9)
    assert (block(features) - 1.2 * features).abs().max() < 0.02, "x + 0.2 (x + three small residuals)"


@pytest.mark.parametrize("make", [RRDBNet, lambda **sizes: MESRNet(**sizes, expansion=1)])
@pytest.mark.parametrize("standardized", [False, True])
def test_collapsed_net_is_the_same_function(make, standardized: bool) -> None:
    torch.manual_seed(0)
    net = make(**TINY | {"standardized": standardized})
    standardize_pixels(net, mean=(0.45, 0.44, 0.40), std=(0.28, 0.27, 0.29))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    lr = torch.rand(1, 3, 7, 9)
    plain = net.collapse()
    torch.testing.assert_close(plain(lr), net(lr), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(plain.collapse()(lr), plain(lr), atol=0, rtol=0)
    blocks = [[b for b in each.modules() if isinstance(b, DenseBlock)] for each in (net, plain)]
    assert all(block.shrink is not None for block in blocks[0]) and all(block.shrink is None for block in blocks[1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RRDBNet(**TINY | {"scale": 1.5}), "RRDBNet cannot upscale by 1.5: its scales are 2, 3, 4"),
        (lambda: RRDBNet(**TINY | {"growth": 0}), "growth to be an integer of at least 1"),
    ],
)
def test_refusals(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
