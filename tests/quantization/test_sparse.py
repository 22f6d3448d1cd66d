"""A pruned net quantized: its zeros are zeros, in calibration and through training."""

import pytest
import torch

from sr.losses.pixel import L1
from sr.quantization.adaround import AdaRound
from sr.quantization.gptq import Gptq
from sr.quantization.pipeline import quantize
from sr.quantization.weighted_layers import left_by_pruning

pytestmark = pytest.mark.aimet


STAGES = {
    "gptq": Gptq(name="gptq", damping=0.01, positions=2000),
    "adaround": AdaRound(name="adaround", iterations=100, regularization=0.01, warm_start=0.2),
}


@pytest.mark.parametrize("step", [None, "qat", "gptq", "adaround"])
def test_pruned_weights_stay_zero_and_the_others_move(
    make_net, make_scheme, make_qat, calibration, stream, score, tmp_path, step
):
    net = make_net()
    with torch.no_grad():
        net.cnn[0].weight *= (torch.rand(net.cnn[0].weight.shape) > 0.5).float()
    zero = net.cnn[0].weight == 0
    stages = STAGES | {"qat": make_qat(iterations=10, learning_rate=1e-3, keep="last")}
    chain = (stages[step],) if step else ()
    simulation = quantize(
        net=net, scheme=make_scheme(chain=chain), calibration=calibration, stream=stream, loss=L1(), score=score,
        folder=tmp_path, seed=0,
    )  # fmt: skip
    weight = simulation.net.get_parameter("cnn.0.weight").as_subclass(torch.Tensor)
    assert 0.3 < zero.float().mean() < 0.7 and torch.equal(weight == 0, zero)
    moved = (weight - net.cnn[0].weight).abs().max()  # without a step, a weight at the end of its range by its rounding
    assert moved > 1e-5 if step else moved < 1e-6
    quantized = simulation.net.cnn[0].param_quantizers["weight"](weight)
    assert not quantized.as_subclass(torch.Tensor)[zero].any(), "zero is on the grid of a symmetric weight"


def test_a_dense_net_has_no_masks(make_net):
    assert left_by_pruning(make_net()) == {}
