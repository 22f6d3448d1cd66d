"""SRResNet: its layers and count, folded batch normalization, standardized pixels."""

import pytest
import torch
from torch import nn

from sr.models.srresnet import SRResNet
from sr.models.standardization import standardize_pixels

PAPER = dict(scale=4, f=64, m=16, normalization="batch", standardized=False)
TINY = PAPER | dict(f=8, m=2, scale=2)
MEASURED = dict(mean=(0.45, 0.44, 0.40), std=(0.28, 0.27, 0.29))


def test_layers_and_parameters_of_the_papers_figure() -> None:
    net = SRResNet(**PAPER)
    convs = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    block, norm, slope = 2 * (64 * 64 * 9 + 64), 2 * 64, 1
    count = 9 * 9 * 3 * 64 + 64 + slope  # k9n64s1, PReLU
    count += 16 * (block + 2 * norm + slope) + block // 2 + norm  # 16 residual blocks, k3n64s1, BN
    count += 2 * (64 * 256 * 9 + 256 + slope) + 9 * 9 * 64 * 3 + 3  # k3n256s1 twice, k9n3s1
    assert sum(parameter.numel() for parameter in net.parameters()) == count == 1_549_462
    assert [layer.kernel_size for layer in (convs[0], convs[-1])] == [(9, 9), (9, 9)]


@pytest.mark.parametrize("standardized", [False, True])
def test_collapsed_net_is_the_same_function_and_has_no_normalization(standardized: bool) -> None:
    torch.manual_seed(0)
    net = SRResNet(**TINY | {"standardized": standardized})
    standardize_pixels(net, **MEASURED)
    for _ in range(3):
        net.train()(torch.rand(4, 3, 12, 12))  # running statistics away from their start
    net.eval()
    lr = torch.rand(1, 3, 7, 9)
    plain = net.collapse()
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in plain.modules())
    torch.testing.assert_close(plain(lr), net(lr), atol=1e-5, rtol=1e-5)
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in net.modules()), "the original goes on training"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": 1.5}, r"SRResNet cannot upscale by 1.5: its scales are 2, 3, 4"),
        ({"normalization": "layer"}, "batch, none"),
    ],
)
def test_refusals(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SRResNet(**TINY | changes)
