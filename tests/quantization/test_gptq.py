import logging

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from sr.models.fsrcnn import FSRCNN
from sr.quantization.gptq import Gptq, columns, rounded
from sr.quantization.integer import weight_quantizers

STAGE = Gptq(name="gptq", damping=0.01, positions=2000)


def error(simulation, net, inputs):
    with torch.no_grad():
        return torch.stack([(simulation.net(batch) - net(batch)).square().mean() for batch in inputs]).mean()


def correlated(d, seed=0):
    """E[x x^T] of inputs that are alike, as neighbouring pixels are."""
    x = torch.rand(d, 500, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 0.3 + 0.7
    return x @ x.T / 500


@pytest.mark.parametrize("changes", [{}, {"groups": 2}, {"stride": 2, "padding": 0}, {"dilation": 2, "bias": False}])
def test_columns_times_kernel_are_the_convolution(changes):
    torch.manual_seed(0)
    layer = nn.Conv2d(4, 6, 3, **{"padding": 1} | changes)
    inputs = torch.rand(2, 4, 9, 7)
    with torch.no_grad():
        wanted = conv2d(inputs, layer.weight, layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups)
    places = torch.tensor([5, 0, 3])
    kernel = layer.weight.detach().reshape(layer.groups, 6 // layer.groups, -1)
    if layer.bias is not None:
        kernel = torch.cat([kernel, layer.bias.detach().reshape(layer.groups, -1, 1)], dim=2)
    found = (kernel @ columns(layer, inputs, places)).reshape(6, 2, 3).transpose(0, 1)
    assert torch.allclose(found, wanted.flatten(2)[:, :, places], atol=1e-6)


def test_independent_inputs_are_rounded_to_nearest():
    weights = torch.randn(1, 5, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    scale = torch.full((1, 5, 8), 0.1, dtype=torch.float64)
    diagonal = torch.diag(torch.arange(1.0, 9.0).double())[None]
    made = rounded(weights, scale, -8, 7, diagonal, torch.ones_like(scale))
    assert torch.equal(made, (weights / 0.1).round().clamp(-8, 7) * 0.1)


def test_correlated_inputs_share_their_errors_and_the_bias_takes_the_rest():
    second = correlated(9)
    weights = torch.randn(1, 50, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    scale = torch.full((1, 50, 8), 0.1, dtype=torch.float64)  # the ninth is the bias
    made = rounded(weights, scale, -128, 127, torch.linalg.inv(second)[None], torch.ones_like(scale))
    nearest = weights.clone()
    nearest[:, :, :8] = (weights[:, :, :8] / 0.1).round() * 0.1

    def loss(found):
        lost = (found - weights)[0]
        return ((lost @ second) * lost).sum()

    assert loss(made) < 0.1 * loss(nearest)
    remaining = (made - weights)[0] @ second  # the bias is where its gradient is zero
    assert remaining[:, 8].abs().max() < 1e-9 < remaining[:, :8].abs().max()


@pytest.mark.aimet
@pytest.mark.parametrize("bits", [4, 8])
def test_loses_far_less_than_nearest_rounding(run, make_net, calibration, bits):
    plain, repaired = run(bits=bits), run(STAGE, bits=bits)
    assert error(repaired, make_net(), calibration) < 0.5 * error(plain, make_net(), calibration)


@pytest.mark.aimet
def test_errors_of_one_layer_are_taken_back_by_the_next(run, make_net, calibration):
    relu = make_net(activation="relu", m=2)
    assert error(run(STAGE, net=relu, bits=4), relu, calibration) < 0.3 * error(
        run(net=relu, bits=4), relu, calibration
    )


@pytest.mark.aimet
def test_weights_lie_on_fixed_ranges_without_the_lowest_step(run, make_qat):
    simulation = run(STAGE)
    fixed = simulation.fixed_weight_ranges()
    assert list(fixed) == ["cnn.0", "cnn.2", "conv_last"]
    for name, quantizer in weight_quantizers(simulation.aimet).items():
        layer = simulation.net.get_submodule(name)
        steps = layer.weight.detach().as_subclass(torch.Tensor) / quantizer.get_scale()
        assert torch.allclose(steps, steps.round(), atol=1e-3)
        assert steps.round().min() >= -127 and steps.round().max() <= 127
    after = run(STAGE, make_qat(iterations=5)).fixed_weight_ranges()
    assert all(torch.equal(fixed[name][1], after[name][1]) for name in fixed)


@pytest.mark.aimet
def test_one_scale_for_a_whole_kernel(run, make_net, calibration):
    plain, repaired = run(per_channel=False), run(STAGE, per_channel=False)
    assert error(repaired, make_net(), calibration) < 0.5 * error(plain, make_net(), calibration)


@pytest.mark.aimet
def test_the_same_twice(run):
    first, again = run(STAGE, bits=4).net.state_dict(), run(STAGE, bits=4).net.state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first if isinstance(first[name], torch.Tensor))


@pytest.mark.aimet
def test_says_which_layers_it_leaves(run, caplog):
    torch.manual_seed(0)
    sizes = {"d": 8, "s": 4, "m": 1, "scale": 2, "color": "rgb", "overparameterize": "none"}
    net = FSRCNN(**sizes, activation="relu", upscaling="deconvolution").eval()
    with caplog.at_level(logging.WARNING):
        run(STAGE, net=net)
    assert "gptq leaves upscale.0 rounded to nearest: it knows only convolutions" in caplog.text


@pytest.mark.parametrize("changes", [{"damping": 0.0}, {"positions": 0}])
def test_refuses_what_cannot_be_computed(changes):
    with pytest.raises(ValueError, match="gptq needs a damping above 0 and at least 1 position"):
        Gptq(**{"name": "gptq", "damping": 0.01, "positions": 1} | changes)
