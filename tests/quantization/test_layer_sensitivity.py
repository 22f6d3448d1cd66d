import pytest
import torch

from sr.models.compact import Compact
from sr.quantization.layer_sensitivity import EXACT_DB, layer_sensitivities, sqnr_db
from sr.quantization.plots import SENSITIVITY_CHARTS
from sr.quantization.ptq import calibrate

pytestmark = pytest.mark.aimet


@pytest.fixture
def described(make_net, make_scheme, calibration):
    net = make_net(residual="input_to_output", m=2)
    with torch.no_grad():
        net.cnn[2].weight[0, 0, 1, 1] = 8.0  # one weight that costs its layer's other weights their precision
    scheme = make_scheme(per_channel=False)
    return net, layer_sensitivities(calibrate(net=net, scheme=scheme, calibration=calibration), net, calibration)


def test_every_layer_is_there_in_order(described):
    net, found = described
    names = [layer["name"] for layer in found]
    assert names[:6] == ["cnn.0", "cnn.1", "cnn.2", "cnn.3", "cnn.4", "cnn.5"]
    assert set(names) >= {name for name, module in net.named_modules() if isinstance(module, torch.nn.Conv2d)}


def test_the_worst_layer_stands_out(described):
    _, found = described
    convolutions = [layer for layer in found if layer["kind"] == "Conv2d"]
    assert min(convolutions, key=lambda layer: layer["alone_db"])["name"] == "cnn.2"
    assert min(convolutions, key=lambda layer: layer["weights"]["sqnr_db"])["name"] == "cnn.2"
    worst = next(layer for layer in found if layer["name"] == "cnn.2")["weights"]
    assert worst["high"] == 8.0 and worst["bits"] == 8 and worst["num_scales"] == 1
    assert sum(worst["histogram"]) == 8 * 8 * 9 and len(worst["edges"]) == len(worst["histogram"]) + 1


def test_ranges_of_activations(described):
    _, found = described
    clips = [layer["activation"] for layer in found if layer["kind"] == "Hardtanh"]
    assert all(facts["pinned"] and (facts["low"], facts["high"]) == (0, 1) for facts in clips)
    assert all(facts["cut_below"] == facts["cut_above"] == 0 for facts in clips)
    assert all(0 <= facts["float_low"] <= facts["float_high"] <= 1 for facts in clips)


def test_what_a_narrow_range_cuts_off_is_counted(make_net, make_scheme, calibration):
    net = make_net(activation="relu")
    simulation = calibrate(net=net, scheme=make_scheme(), calibration=calibration)
    quantizer = simulation.net.get_submodule("cnn.1").output_quantizers[0]
    quantizer.set_range(0.0, quantizer.get_max().item() / 4)
    facts = next(layer for layer in layer_sensitivities(simulation, net, calibration) if layer["name"] == "cnn.1")[
        "activation"
    ]
    assert facts["cut_above"] > 0.02 and facts["cut_below"] == 0 and not facts["pinned"]


def test_the_slopes_of_a_prelu_are_weights_too(make_scheme, calibration):
    torch.manual_seed(0)
    net = Compact(f=4, m=1, scale=2, activation="prelu").eval()
    simulation = calibrate(net=net, scheme=make_scheme(), calibration=calibration)
    slopes = [
        layer["weights"] for layer in layer_sensitivities(simulation, net, calibration) if layer["kind"] == "PReLU"
    ]
    assert len(slopes) == 2
    assert all(sum(facts["histogram"]) == 4 and facts["channel_spread"] == 1 for facts in slopes)


def test_quantizers_are_back_afterwards(make_net, make_scheme, calibration, pixels):
    simulation = calibrate(net=make_net(), scheme=make_scheme(), calibration=calibration)
    before = simulation.net(pixels)
    layer_sensitivities(simulation, make_net(), calibration)
    assert torch.equal(simulation.net(pixels), before)


def test_equal_signals():
    assert sqnr_db([torch.ones(3)], [torch.ones(3)]) == EXACT_DB


@pytest.mark.parametrize("name", SENSITIVITY_CHARTS)
def test_charts(described, name):
    picture = SENSITIVITY_CHARTS[name](described[1], "QuickSRNet")
    assert picture.ndim == 3 and picture.shape[2] == 3 and picture.dtype == "uint8" and picture.std() > 5
