import copy

import pytest
import torch
from torch import nn

from sr.models.blocks import Add, Concat
from sr.quantization.pipeline import check
from sr.quantization.ptq import calibrate, uncalibrated

pytestmark = pytest.mark.aimet


def ranges(simulation):
    """Name of each activation quantizer -> (min, max, learnable)."""
    return {
        name: (module.get_min().item(), module.get_max().item(), any(p.requires_grad for p in module.parameters()))
        for name, module in simulation.net.named_modules()
        if name.rpartition(".")[0].endswith(("input_quantizers", "output_quantizers"))
    }


@pytest.mark.parametrize("method", ["min_max", "enhanced", "percentile"])
def test_close_to_the_float_net(make_net, make_scheme, calibration, pixels, method):
    net = make_net()
    simulation = calibrate(net=net, scheme=make_scheme(calibration=method), calibration=calibration)
    with torch.no_grad():
        difference = (simulation.net(pixels) - net(pixels)).abs()
    assert 0 < difference.mean() < 0.02
    assert simulation.figures["calibration_s"] > 0


def test_the_float_net_is_left_alone(make_net, make_scheme, calibration):
    net = make_net()
    before = copy.deepcopy(net.state_dict())
    calibrate(net=net, scheme=make_scheme(), calibration=calibration)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any("Quantized" in type(module).__name__ for module in net.modules())


@pytest.mark.parametrize("scale", [1.5, 2])
@pytest.mark.parametrize("residual", ["none", "input_to_output"])
def test_pixels_and_clips_are_pinned(make_net, make_scheme, calibration, scale, residual):
    found = ranges(
        calibrate(net=make_net(scale=scale, residual=residual), scheme=make_scheme(), calibration=calibration)
    )
    pinned = {name for name, (low, high, learnable) in found.items() if (low, high) == (0.0, 1.0) and not learnable}
    expected = {"cnn.0.input_quantizers.0", "clip.output_quantizers.0"} | {
        f"cnn.{i}.output_quantizers.0" for i in (1, 3)
    }
    if residual != "none":
        expected |= {"anchor.net.input_quantizers.0"}
    assert pinned == expected
    free = {name for name, (_, _, learnable) in found.items() if learnable}
    assert free == (
        {"anchor.net.output_quantizers.0", "conv_last.output_quantizers.0"} if residual != "none" else set()
    )


def test_relu_ranges_are_calibrated_from_zero(make_net, make_scheme, calibration):
    found = ranges(calibrate(net=make_net(activation="relu"), scheme=make_scheme(), calibration=calibration))
    low, high, learnable = found["cnn.1.output_quantizers.0"]
    assert low == 0 and 0 < high != 1 and learnable
    assert "cnn.0.output_quantizers.0" not in found, "a convolution and its ReLU are one op"


@pytest.mark.parametrize(("per_channel", "shape"), [(True, (8, 1, 1, 1)), (False, ())])
def test_weights_are_symmetric_int8(make_net, make_scheme, calibration, per_channel, shape):
    simulation = calibrate(net=make_net(), scheme=make_scheme(per_channel=per_channel), calibration=calibration)
    quantizer = simulation.net.cnn[0].param_quantizers["weight"]
    assert (tuple(quantizer.shape), quantizer.qmin, quantizer.qmax, quantizer.symmetric) == (shape, -128, 127, True)
    assert simulation.net.cnn[0].param_quantizers["bias"] is None


@pytest.mark.parametrize(("weights", "activations"), [(4, 8), (8, 16)])
def test_other_widths(make_net, make_scheme, calibration, pixels, weights, activations):
    scheme = make_scheme(weight_bits=weights, activation_bits=activations)
    simulation = calibrate(net=make_net(), scheme=scheme, calibration=calibration)
    assert simulation.net.cnn[0].param_quantizers["weight"].bitwidth == weights
    assert simulation.net.cnn[1].output_quantizers[0].bitwidth == activations
    assert torch.isfinite(simulation.net(pixels)).all()


class Joined(nn.Module):
    """Two branches, one clipped and one not, added and concatenated; depth-to-space before the clip."""

    def __init__(self):
        super().__init__()
        self.color, self.scale, self.size_multiple = "y", 2, 1
        self.a, self.clip_a = nn.Conv2d(1, 4, 3, padding=1), nn.Hardtanh(0.0, 1.0)
        self.b, self.prelu = nn.Conv2d(1, 4, 3, padding=1), nn.PReLU(4)
        self.concat, self.add = Concat(), Add()
        self.last, self.other = nn.Conv2d(8, 4, 1), nn.Conv2d(1, 4, 1)
        self.shuffle, self.clip = nn.PixelShuffle(2), nn.Hardtanh(0.0, 1.0)

    def forward(self, y):
        joined = self.concat(self.clip_a(self.a(y)), self.prelu(self.b(y)))
        return self.clip(self.shuffle(self.add(self.last(joined), self.other(y))))


def test_joins_of_a_y_net(make_scheme):
    torch.manual_seed(0)
    net = Joined().eval()
    crops = [torch.rand(4, 1, 24, 24) for _ in range(2)]
    simulation = calibrate(net=net, scheme=make_scheme(), calibration=crops)
    found = ranges(simulation)
    assert found["clip.output_quantizers.0"] == (0.0, 1.0, False), "addition, depth-to-space and clip are one op"
    assert not {"add.output_quantizers.0", "shuffle.output_quantizers.0"} & set(found)
    assert simulation.net.concat.output_quantizers[0] is simulation.net.clip_a.output_quantizers[0]
    assert found["clip_a.output_quantizers.0"][2], "shared with a branch that has no clip, so it is not pinned"
    with torch.no_grad():
        assert (simulation.net(crops[0]) - net(crops[0])).abs().mean() < 0.02


def test_refuses_what_aimet_does_not_know(make_scheme, make_net):
    class Odd(nn.Module):
        def forward(self, x):
            return x

    net = make_net()
    net.odd = Odd()
    with pytest.raises(ValueError, match=r"AIMET does not know odd \(Odd\). Use quantization=fp32"):
        uncalibrated(net, make_scheme())
    with pytest.raises(ValueError, match=r"AIMET does not know odd \(Odd\)"):  # before the training
        check(net, make_scheme())


def test_refuses_bad_crops(make_net, make_scheme, calibration):
    for bad, message in (
        ([], "got no calibration crops"),
        ([calibration[0] * 255], r"calibration batch 0 has values from .* a net takes pixels in \[0, 1\]"),
        ([calibration[0], torch.full((1, 3, 24, 24), torch.nan)], "calibration batch 1 has values from nan"),
    ):
        with pytest.raises(ValueError, match=message):
            calibrate(net=make_net(), scheme=make_scheme(), calibration=bad)


def test_refuses_a_net_that_diverged(make_net, make_scheme, calibration):
    net = make_net()
    with torch.no_grad():
        net.cnn[0].weight[0, 0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match=r"cnn.0.weight holds values that are not numbers: the float net diverged"):
        calibrate(net=net, scheme=make_scheme(), calibration=calibration)


def test_refuses_layers_that_never_run(make_net, make_scheme, calibration):
    net = make_net()
    net.idle = nn.ReLU()
    with pytest.raises(ValueError, match=r"the range of idle.output_quantizers.0 is not a number"):
        calibrate(net=net, scheme=make_scheme(), calibration=calibration)
