"""What a feature is worth, by the definitions."""

import pytest
import torch

from sr.evaluation import to_network
from sr.losses.pixel import L1
from sr.pruning.dependency_graph import Channels
from sr.pruning.importance import fisher, magnitude
from tests.tasks.tiny import batch, net


def test_fisher_is_the_squared_gradient_of_a_gate():
    ours = net()
    scores = fisher(ours, Channels(ours), [batch(0), batch(1)], L1())
    gate = torch.ones(8, requires_grad=True)
    hook = ours.cnn[2].register_forward_hook(lambda _, __, output: output * gate[:, None, None])
    wanted = torch.zeros(8)
    for number in (0, 1):
        for lr, hr in zip(*batch(number), strict=True):
            loss = L1()(ours(to_network(lr[None], ours)), to_network(hr[None], ours))
            wanted += torch.autograd.grad(loss, gate)[0].square() / (2 * 4)
    hook.remove()
    second = Channels(ours).groups()[1]
    assert second.name == "cnn.2"
    torch.testing.assert_close(torch.tensor([scores[each] for each in second.features]), wanted, rtol=1e-4, atol=1e-12)
    assert all(parameter.grad is None for parameter in ours.parameters())


def test_a_feature_that_reaches_nothing_is_worth_nothing():
    ours = net()
    with torch.no_grad():
        ours.conv_last.weight[:, 3] = 0
    channels = Channels(ours)
    scores = fisher(ours, channels, [batch(0)], L1())
    last = [scores[each] for each in channels.groups()[1].features]
    assert last[3] == 0 and min(last[:3] + last[4:]) > 0


def test_magnitude_is_the_length_of_a_filter_over_its_layers_mean():
    ours = net()
    with torch.no_grad():
        ours.cnn[0].weight[:] = torch.arange(1.0, 9.0)[:, None, None, None]
    channels = Channels(ours)
    scores = magnitude(ours, channels)
    found = [scores[each] for each in channels.groups()[0].features]
    assert found == pytest.approx([i / 4.5 for i in range(1, 9)])
