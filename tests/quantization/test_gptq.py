import logging

import pytest
import torch
from torch import nn
from torch.nn.functional import conv_transpose2d

from sr.models.fsrcnn import FSRCNN
from sr.models.net import Net
from sr.quantization.gptq import Gptq
from sr.quantization.integer import weight_quantizers
from sr.quantization.weighted_layers import watch

STAGE = Gptq(name="gptq", damping=0.01, positions=2000)


def error(simulation, net, inputs):
    with torch.no_grad():
        return torch.stack([(simulation.net(batch) - net(batch)).square().mean() for batch in inputs]).mean()


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
    fixed = simulation.weight_ranges()
    assert list(fixed) == ["cnn.0", "cnn.2", "conv_last"]
    for name, quantizer in weight_quantizers(simulation.aimet).items():
        layer = simulation.net.get_submodule(name)
        steps = layer.weight.detach().as_subclass(torch.Tensor) / quantizer.get_scale()
        assert torch.allclose(steps, steps.round(), atol=1e-3)
        assert steps.round().min() >= -127 and steps.round().max() <= 127
    after = run(STAGE, make_qat(iterations=5)).weight_ranges()
    assert all(torch.equal(fixed[name][1], after[name][1]) for name in fixed)


@pytest.mark.aimet
def test_one_scale_for_a_whole_kernel(run, make_net, calibration):
    plain, repaired = run(per_channel=False), run(STAGE, per_channel=False)
    assert error(repaired, make_net(), calibration) < 0.5 * error(plain, make_net(), calibration)


@pytest.mark.aimet
def test_the_same_twice(run):
    first, again = run(STAGE, bits=4).net.state_dict(), run(STAGE, bits=4).net.state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first if isinstance(first[name], torch.Tensor))


class WithLinear(Net):
    """A convolution, and a linear layer for each pixel."""

    scale, color, size_multiple = 1, "rgb", 1

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.linear = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(3, 3)

    def forward(self, lr):
        return self.linear(self.conv(lr).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


@pytest.mark.aimet
def test_says_which_layers_it_leaves(run, caplog):
    with caplog.at_level(logging.WARNING):
        run(STAGE, net=WithLinear().eval())
    assert "gptq leaves linear rounded to nearest: it knows only convolutions" in caplog.text


def fsrcnn(scale=2):
    torch.manual_seed(0)
    sizes = {"d": 8, "s": 4, "m": 1, "scale": scale, "color": "rgb", "overparameterize": "none"}
    net = FSRCNN(**sizes, activation="relu", upscaling="deconvolution").eval()
    with torch.no_grad():
        net.upscale[0].weight.mul_(100)  # it starts at almost nothing
    return net


@pytest.mark.aimet
@pytest.mark.parametrize(("bits", "per_channel", "scale"), [(8, True, 2), (4, True, 3), (8, False, 4)])
def test_a_deconvolution_loses_less_than_rounded_to_nearest(run, calibration, caplog, bits, per_channel, scale):
    """The layer alone: what it gives with its own input, rounded by GPTQ and to nearest."""
    net = fsrcnn(scale)
    with caplog.at_level(logging.WARNING):
        repaired = run(Gptq(name="gptq", damping=1e-4, positions=20000), net=net, bits=bits, per_channel=per_channel)
    assert "gptq leaves" not in caplog.text
    layer, quantizer = repaired.net.upscale[0], weight_quantizers(repaired.aimet)["upscale.0"]
    assert quantizer.get_scale().numel() == (3 if per_channel else 1)
    steps = (layer.weight.detach() / quantizer.get_scale()).as_subclass(torch.Tensor)
    assert torch.allclose(steps, steps.round(), atol=1e-3)
    assert steps.round().min() >= (-127 if bits == 8 else -8) and steps.round().max() <= 2 ** (bits - 1) - 1

    wanted, given = [], []
    watch(net, ["upscale.0"], calibration, lambda _, inputs, output: wanted.append(output))
    watch(repaired.net, ["upscale.0"], calibration, lambda _, inputs, output: given.append((inputs, output)))
    nearest = quantizer(net.upscale[0].weight).as_subclass(torch.Tensor)
    shape = {"stride": scale, "padding": 4, "output_padding": scale - 1}

    def lost(kernel, bias):
        found = [conv_transpose2d(inputs, kernel, bias, **shape) for inputs, _ in given]
        return sum((a - b).square().mean() for a, b in zip(found, wanted, strict=True))

    with torch.no_grad():
        kernel, bias = (value.detach().as_subclass(torch.Tensor) for value in (layer.weight, layer.bias))
        assert torch.allclose(conv_transpose2d(given[0][0], kernel, bias, **shape), given[0][1], atol=1e-5)
        # with these inputs, which layers before have rounded, it does better than even the float net's weights
        before = net.upscale[0].bias
        assert lost(kernel, bias) < lost(net.upscale[0].weight, before) < lost(nearest, before)


@pytest.mark.aimet
def test_too_few_pixels_for_so_small_a_damping_are_told(run):
    with pytest.raises(ValueError, match=r"gptq: the equations of cnn\.0 have no solution at a damping of 1e-30; take"):
        run(Gptq(name="gptq", damping=1e-30, positions=8))


@pytest.mark.parametrize("changes", [{"damping": 0.0}, {"damping": float("nan")}, {"positions": 0}])
def test_refuses_what_cannot_be_computed(changes):
    with pytest.raises(ValueError, match="gptq needs a damping above 0 and at least 1 position"):
        Gptq(**{"name": "gptq", "damping": 0.01, "positions": 1} | changes)
