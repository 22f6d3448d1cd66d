"""EDSR: published sizes, residual scaling, the mean, and the collapsed net."""

import pytest
import torch
from torch import nn

from sr.models.edsr import DIV2K_MEAN, EDSR

BASELINE = {"scale": 2, "f": 64, "m": 16, "residual_scale": 1.0}
TINY = {"scale": 2, "f": 8, "m": 2, "residual_scale": 0.1}


def count(net: nn.Module) -> int:
    """The paper does not count the mean of the data set."""
    return sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)


@pytest.mark.parametrize(("scale", "published"), [(2, 1_369_859), (3, 1_554_499), (4, 1_517_571)])
def test_published_parameter_counts_of_the_baseline(scale: int, published: int) -> None:
    assert count(EDSR(**(BASELINE | {"scale": scale}))) == published


@pytest.mark.parametrize(("scale", "published_m"), [(2, 40.7), (4, 43.1)])
def test_published_parameter_counts_of_the_full_net(scale: int, published_m: float) -> None:
    net = EDSR(scale=scale, f=256, m=32, residual_scale=0.1)
    assert round(count(net) / 1e6, 1) == published_m


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_collapsed_net_is_the_same_function(dtype: torch.dtype, tolerance: float, scale: int) -> None:
    torch.manual_seed(0)
    net = EDSR(**(TINY | {"scale": scale})).to(dtype)
    lr = torch.rand(1, 3, 7, 9, dtype=dtype)
    plain = net.collapse()
    assert (plain(lr) - net(lr)).abs().max().item() <= tolerance
    assert {block.residual_scale for block in plain.body[:2]} == {1.0}
    assert {block.residual_scale for block in net.body[:2]} == {0.1}, "the original goes on training"
    assert torch.equal(plain.collapse()(lr), plain(lr))


def test_silent_net_gives_the_mean() -> None:
    net = EDSR(**TINY)
    with torch.no_grad():
        net.tail.weight.zero_()
        net.tail.bias.zero_()
    want = torch.tensor(DIV2K_MEAN)[None, :, None, None].expand(1, 3, 10, 12)
    torch.testing.assert_close(net(torch.rand(1, 3, 5, 6)), want)


def test_residual_scaling_multiplies_the_residual_alone() -> None:
    torch.manual_seed(0)
    block = EDSR(**TINY).body[0]
    features = torch.rand(1, 8, 5, 6)
    residual = block.conv2(block.relu(block.conv1(features)))
    torch.testing.assert_close(block(features), features + 0.1 * residual)


def test_mean_is_not_trained() -> None:
    net = EDSR(**TINY)
    net(torch.rand(1, 3, 5, 6)).mean().backward()
    assert net.subtract_mean.bias.grad is None
    assert net.add_mean.bias.grad is None


@pytest.mark.parametrize(
    ("change", "message"),
    [({"scale": 1.5}, "EDSR cannot upscale by 1.5"), ({"m": 0}, "m to be an integer of at least 1")],
)
def test_what_it_does_not_know(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EDSR(**(BASELINE | change))
