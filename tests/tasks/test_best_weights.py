"""The best weights: copies, ties, NaN, and the round trip through a checkpoint."""

import torch
from torch import nn

from sr.tasks.best_weights import BestWeights


def test_the_weights_of_the_highest_psnr_are_kept_as_a_copy():
    net, best = nn.Linear(1, 1, bias=False), BestWeights()
    for iteration, psnr_db in ((10, 30.0), (20, 31.0), (30, 31.0), (40, float("nan")), (50, 29.0)):
        nn.init.constant_(net.weight, iteration)
        best.update(net, psnr_db, iteration)
    assert (best.psnr_db, best.iteration) == (31.0, 30), "the later of two equal ones"
    restored = BestWeights()
    restored.set_state(best.state())
    restored.load_into(net)
    assert net.weight.item() == 30


def test_without_a_validation_a_net_is_left_as_it_is():
    net = nn.Linear(2, 2)
    before = net.weight.clone()
    BestWeights().load_into(net)
    assert torch.equal(net.weight, before)
