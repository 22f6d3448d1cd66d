"""Forward hooks: they run inside the block only, before or after the forward pass."""

import pytest
import torch
from torch import nn

from sr.functional.hooks import forward_hooks


def test_hooks_run_inside_the_block_and_may_replace_the_output() -> None:
    net, one = nn.Identity(), torch.ones(1)
    with forward_hooks([(net, lambda module, inputs, output: output + 1)]):
        assert net(one).item() == 2
    assert net(one).item() == 1


def test_hooks_before_may_replace_the_input() -> None:
    net, order = nn.ReLU(), []
    pre, post = (lambda *_: order.append("before")), (lambda *_: order.append("after"))
    with forward_hooks([(net, pre)], before=True), forward_hooks([(net, post)]):
        net(torch.ones(1))
    assert order == ["before", "after"]
    with forward_hooks([(net, lambda module, inputs: (-inputs[0],))], before=True):
        assert net(torch.ones(1)).item() == 0


def test_hooks_are_removed_after_an_error() -> None:
    net, calls = nn.Identity(), []
    with pytest.raises(ZeroDivisionError), forward_hooks([(net, lambda *_: calls.append(1))]):
        net(torch.ones(1) * (1 / 0))
    net(torch.ones(1))
    assert calls == []
