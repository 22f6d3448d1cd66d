"""Collapsible blocks: both forms and the collapsed convolution are one function; only a first branch can be set."""

import pytest
import torch
from torch import nn

from sr.models.collapsible import Branch, CollapsibleConv, ExpandSqueeze, collapse_convs, set_forward_form


def block(forward_form: str = "collapsed", *, skip: bool = True) -> CollapsibleConv:
    torch.manual_seed(0)
    branches = [ExpandSqueeze(4, 4, width=8, kernel_size=3, expand_bias=True) for _ in range(2)]
    for branch in branches:
        nn.init.normal_(branch.expand.bias)
        nn.init.normal_(branch.squeeze.bias)
    return CollapsibleConv(*branches, skip=skip, forward_form=forward_form)


@pytest.mark.parametrize("skip", [True, False])
def test_forms_are_one_function(skip: bool) -> None:
    net, features = nn.Sequential(block(skip=skip)), torch.randn(1, 4, 6, 7)
    collapsed = net(features)
    set_forward_form(net, "expanded")
    torch.testing.assert_close(net(features), collapsed)
    plain = collapse_convs(net)
    assert type(plain[0]) is nn.Conv2d and type(net[0]) is CollapsibleConv
    torch.testing.assert_close(plain(features), collapsed)


def test_a_block_takes_the_function_of_a_convolution() -> None:
    own, conv, features = block(), nn.Conv2d(4, 4, 3, padding=1), torch.randn(1, 4, 6, 7)
    own.take(conv)
    torch.testing.assert_close(own(features), conv(features), atol=1e-5, rtol=1e-5)


def test_forms_and_branches_that_are_not_supported() -> None:
    with pytest.raises(ValueError, match="choose one of collapsed, expanded"):
        block("folded")
    with pytest.raises(ValueError, match=r"does not know forward_form='folded'"):
        set_forward_form(nn.Sequential(block()), "folded")

    class Fixed(Branch):
        def kernel(self) -> tuple[torch.Tensor, None]:
            return torch.zeros(4, 4, 3, 3), None

    with pytest.raises(TypeError, match="Fixed cannot represent a given convolution"):
        Fixed().take(torch.zeros(4, 4, 3, 3), torch.zeros(4))
