"""Collapsible blocks: both forms and the collapsed convolution are one function; only a first branch can be set."""

import pytest
import torch
import torch.nn.functional as F
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


@torch.no_grad()
def test_the_reference_form_is_the_response_of_the_biased_branch_to_impulses() -> None:
    branch = ExpandSqueeze(3, 4, width=8, kernel_size=3, expand_bias=True)
    nn.init.normal_(branch.expand.bias)
    nn.init.normal_(branch.squeeze.bias)
    impulses = F.pad(torch.eye(3)[:, :, None, None], [2, 2, 2, 2])
    branch.expand.padding = (0, 0)
    response = branch(impulses)  # (3, 4, 3, 3): input, output, and both axes in reverse
    branch.expand.padding = (1, 1)
    net, features = (
        nn.Sequential(CollapsibleConv(branch, skip=False, forward_form="reference")),
        torch.randn(1, 3, 6, 7),
    )
    expected = F.conv2d(features, response.flip(2, 3).transpose(0, 1), padding=1)
    torch.testing.assert_close(net(features), expected)
    torch.testing.assert_close(collapse_convs(net)(features), expected)
    with pytest.raises(ValueError, match="forward_form=reference cannot equal a given convolution: it has no bias"):
        net[0].take(nn.Conv2d(3, 4, 3, padding=1))


def test_forms_and_branches_that_are_not_supported() -> None:
    with pytest.raises(ValueError, match="choose one of collapsed, expanded, reference"):
        block("folded")
    with pytest.raises(ValueError, match=r"does not know forward_form='folded'"):
        set_forward_form(nn.Sequential(block()), "folded")

    class Fixed(Branch):
        def kernel(self) -> tuple[torch.Tensor, None]:
            return torch.zeros(4, 4, 3, 3), None

    with pytest.raises(TypeError, match="Fixed cannot represent a given convolution"):
        Fixed().take(torch.zeros(4, 4, 3, 3), torch.zeros(4))
