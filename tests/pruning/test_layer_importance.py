"""Which layers go: those that the loss misses least once the next layer has made up for them."""

import copy

import pytest
import torch

from sr.evaluation import to_network
from sr.losses.pixel import L1
from sr.pruning.layer_importance import remove_layers
from sr.pruning.layer_removal import spare_layers
from sr.pruning.refit import ConvKernel, refits
from tests.tasks.tiny import batch, net


def deep():
    """Three inner layers, of which the second swaps two channels and halves all: the third can do that."""
    ours = net(m=3).eval()
    with torch.no_grad():
        ours.cnn[4].weight.zero_()
        ours.cnn[4].bias.zero_()
        for i, j in enumerate([1, 0, 2, 3, 4, 5, 6, 7]):
            ours.cnn[4].weight[i, j, 1, 1] = 0.5
    return ours


def taught(ours, count):
    """Batches of which a net makes no error but rounding, so that the loss is what removals cost."""
    lr = [batch(i)[0] for i in range(count)]
    with torch.no_grad():
        return [(each, (255 * ours(to_network(each, ours))).round().byte()) for each in lr]


def test_a_layer_that_the_next_one_can_take_over_goes_first():
    ours = deep()
    one, two = remove_layers(ours, 2, taught(ours, 8), L1())
    assert one.layer == "cnn.4" and one.loss_after < 0.1 * two.loss_after
    assert two.loss_before == one.loss_after
    gone = {"4", "5", two.layer[4:], str(int(two.layer[4:]) + 1)}
    assert [name for name, _ in ours.cnn.named_children()] == [name for name in map(str, range(8)) if name not in gone]


def test_losses_are_those_of_the_net_that_is_left():
    ours, crops = deep(), [batch(0), batch(1)]
    (removal,) = remove_layers(ours, 1, crops, L1())
    left = [float(L1()(ours(to_network(lr, ours)), to_network(hr, ours)).detach()) for lr, hr in crops]
    assert removal.loss_after == pytest.approx(sum(left) / 2, rel=1e-6)


def test_a_refit_kernel_is_the_least_squares_solution():
    ours, x = deep(), [to_network(batch(i)[0], net()) for i in range(8)]
    kernel = refits(ours, spare_layers(ours), x)["cnn.4"]
    with torch.no_grad():
        inputs = [ours.cnn[:4](each) for each in x]
        wanted = [ours.cnn[4:7](each) for each in inputs]
        given = [torch.nn.functional.conv2d(each, kernel.weight, kernel.bias, padding=1) for each in inputs]
        before = [ours.cnn[6](each) for each in inputs]

    def error(made):
        return sum(float((a - b).square().mean()) for a, b in zip(made, wanted, strict=True))

    assert error(given) < 1e-4 * error(before)
    swapped = 0.5 * ours.cnn[6].weight.detach()[:, [1, 0]]
    assert (kernel.weight[:, :2] - swapped).norm() < 0.05 * swapped.norm()


def test_everything_else_is_left_as_it_was():
    ours = deep()
    crops = taught(ours, 8)
    before = copy.deepcopy(ours.state_dict())
    refits(ours, spare_layers(ours), [to_network(crops[0][0], ours)])
    assert remove_layers(ours, 0, crops, L1()) == []
    assert all(torch.equal(value, before[name]) for name, value in ours.state_dict().items())
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in ours.modules())
    remove_layers(ours, 1, crops, L1())
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in ours.modules())
    changed = {name for name, value in ours.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"cnn.6.weight", "cnn.6.bias"}


def test_more_layers_than_can_go():
    with pytest.raises(ValueError, match=r"is 4, but only 3 layers of QuickSRNet give .*: cnn\.2, cnn\.4, cnn\.6"):
        remove_layers(deep(), 4, [batch(0)], L1())


def test_a_kernel_is_a_copy():
    layer = net().cnn[2]
    kernel = ConvKernel.of(layer)
    with torch.no_grad():
        layer.weight.zero_()
    assert kernel.weight.any()
    kernel.into(layer)
    assert torch.equal(layer.weight, kernel.weight)
