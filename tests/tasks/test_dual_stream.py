"""Training of a net with two streams: the loss by its definition, an exact resume, refusals."""

import pytest
import torch

from sr.evaluation import to_network
from sr.models.etds import ETDS
from sr.tasks.dual_stream import DualStream
from tests.tasks.tiny import batch, check_resume, net, settings


def task(**changes):
    torch.manual_seed(0)
    streams = ETDS(scale=2, f=8, m=2, low_f=3, activation="relu")
    return DualStream(**settings(net=streams, low_weight=0.5) | changes)


def test_the_loss_by_its_definition():
    module, (lr, hr) = task(), batch(3)
    x, target = to_network(lr, module.net), hr / 255
    wanted = (module.net(x) - target).abs().mean() + 0.5 * (module.net.low_stream(x) - target).abs().mean()
    loss = module.objective(False)(lr, hr)
    torch.testing.assert_close(loss, wanted)
    loss.backward()
    assert all(parameter.grad is not None for parameter in module.net.parameters())


def test_a_resumed_fit_equals_an_uninterrupted_one_and_its_net_is_one_plain_stack(tmp_path):
    whole, _ = check_resume(task, tmp_path, steps=6, stop=3)
    trained, deployed = whole.trained_net(), whole.deployable()
    start = task().net.residual_convs[0].weight
    assert not torch.equal(trained.residual_convs[0].weight, start), "the second stream is trained"
    lr = torch.rand(1, 3, 6, 5)
    with torch.no_grad():
        torch.testing.assert_close(deployed(lr), trained.eval()(lr))  # channels-last convolutions round otherwise


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"net": net()}, "trains a net with two streams, got QuickSRNet: set model=etds"),
        ({"low_weight": 0}, "task.low_weight must be above 0, got 0"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        task(**changes)
