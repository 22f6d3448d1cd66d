"""Every kind of branch against the convolution it folds into, and the expansion of whole nets."""

import pytest
import torch
from torch import Tensor, nn

from sr.models.collapsible import Branch, CollapsibleConv, ExpandSqueeze, collapse_convs, set_forward_form
from sr.models.overparameterize import EDGES, Direct, EdgeFilter, PointwiseFirst, expand_convs, training_form

KINDS = ["sesr", "repsr", "ecb"]
BRANCHES = {
    "expand_squeeze": lambda: ExpandSqueeze(4, 6, width=16, kernel_size=3, expand_bias=True),
    "expand_squeeze_5x5_one_bias": lambda: ExpandSqueeze(4, 6, width=16, kernel_size=5, expand_bias=False),
    "pointwise_first": lambda: PointwiseFirst(4, 6, width=16),
    "direct": lambda: Direct(4, 6),
    **{edge: lambda edge=edge: EdgeFilter(4, 6, edge=edge) for edge in EDGES},
}


def stirred(module: nn.Module) -> nn.Module:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return module


def features(dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(2, 4, 6, 7, dtype=dtype, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("name", BRANCHES)
def test_branch_equals_its_kernel_everywhere(name: str, dtype: torch.dtype, tolerance: float) -> None:
    torch.manual_seed(0)
    branch = stirred(BRANCHES[name]()).to(dtype)
    weight, bias = branch.kernel()
    got = nn.functional.conv2d(features(dtype), weight, bias, padding=weight.shape[-1] // 2)
    scale = got.abs().max().item()
    assert (branch(features(dtype)) - got).abs().max().item() <= tolerance * max(scale, 1)
    assert scale > 0.1


@pytest.mark.parametrize("name", ["expand_squeeze", "expand_squeeze_5x5_one_bias", "direct"])
def test_branch_becomes_a_given_convolution(name: str) -> None:
    torch.manual_seed(0)
    branch = stirred(BRANCHES[name]())
    weight = torch.randn_like(branch.kernel()[0])
    bias = torch.randn(6)
    branch.take(weight, bias)
    torch.testing.assert_close(branch.kernel(), (weight, bias), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("in_channels", "out_channels"), [(4, 4), (4, 6)])
@pytest.mark.parametrize("bias", [True, False])
def test_training_form_has_the_function_and_more_to_learn(
    kind: str, in_channels: int, out_channels: int, bias: bool
) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=bias)
    block = training_form(conv, kind, "collapsed")
    torch.testing.assert_close(block(features()), conv(features()), atol=1e-5, rtol=0)
    block.forward_form = "expanded"
    torch.testing.assert_close(block(features()), conv(features()), atol=1e-5, rtol=0)
    count = sum(parameter.numel() for parameter in block.parameters())
    assert count > 1.5 * sum(parameter.numel() for parameter in conv.parameters())
    block(features()).square().mean().backward()
    assert all(parameter.grad is not None for parameter in block.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_forms_stay_equal_after_training_steps(kind: str) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, padding=1))
    expand_convs(net, kind)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
    for _ in range(5):
        optimizer.zero_grad()
        (net(features()) - 1).abs().mean().backward()
        optimizer.step()
    want = net(features())
    torch.testing.assert_close(collapse_convs(net)(features()), want, atol=1e-5, rtol=1e-5)
    set_forward_form(net, "expanded")
    torch.testing.assert_close(net(features()), want, atol=1e-5, rtol=1e-5)


def test_only_plain_trainable_convolutions_are_replaced() -> None:
    kept = {
        "pointwise": nn.Conv2d(4, 4, 1),
        "strided": nn.Conv2d(4, 4, 3, stride=2, padding=1),
        "grouped": nn.Conv2d(4, 4, 3, padding=1, groups=2),
        "unpadded": nn.Conv2d(4, 4, 3),
        "reflected": nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"),
        "dilated": nn.Conv2d(4, 4, 3, padding=1, dilation=2),
        "frozen": nn.Conv2d(4, 4, 3, padding=1).requires_grad_(False),
    }
    net = nn.ModuleDict({**kept, "plain": nn.Conv2d(4, 4, 3, padding=1), "wide": nn.Conv2d(4, 4, 5, padding=2)})
    expand_convs(net, "ecb")
    assert isinstance(net["plain"], CollapsibleConv)
    assert isinstance(net["wide"], nn.Conv2d), "ecb has 3x3 edge filters only"
    expand_convs(net, "repsr")
    assert isinstance(net["wide"], CollapsibleConv)
    assert all(net[name] is module for name, module in kept.items())


def test_none_leaves_a_net_alone() -> None:
    net = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1))
    expand_convs(net, "none")
    assert type(net[0]) is nn.Conv2d


def test_refusals() -> None:
    with pytest.raises(ValueError, match="does not know overparameterize='dbb': choose one of none, sesr, repsr, ecb"):
        expand_convs(nn.Sequential(nn.Conv2d(3, 3, 3, padding=1)), "dbb")
    with pytest.raises(ValueError, match="has no convolution that 'repsr' can replace"):
        expand_convs(nn.Sequential(nn.ReLU()), "repsr")
    with pytest.raises(ValueError, match="forward_form='fast'"):
        set_forward_form(nn.ReLU(), "fast")


def test_a_new_branch_only_needs_a_kernel() -> None:
    class Half(Branch):
        """Half of the input."""

        def forward(self, features: Tensor) -> Tensor:
            return features / 2

        def kernel(self) -> tuple[Tensor, Tensor]:
            return torch.eye(4)[:, :, None, None] / 2, torch.zeros(4)

    block = CollapsibleConv(Half(), Half(), skip=True, forward_form="collapsed")
    torch.testing.assert_close(block(features()), 2 * features())
