import pytest
import torch

from sr.losses.pixel import L1
from sr.quantization.bias_correction import BiasCorrection, biased, channel_means
from sr.quantization.pipeline import quantize
from sr.quantization.ptq import calibrate

pytestmark = pytest.mark.aimet


@pytest.fixture
def run(make_net, make_scheme, calibration, stream, score, tmp_path):
    def quantized(*chain, **changes):
        inputs = {"stream": stream, "loss": L1(), "score": score, "folder": tmp_path, "seed": 0}
        scheme = make_scheme(chain=chain, weight_bits=4)
        return quantize(net=make_net(**changes), scheme=scheme, calibration=calibration, **inputs)

    return quantized


def test_means_of_every_channel_become_those_of_the_float_net(run, make_net, make_scheme, calibration):
    net = make_net(activation="relu", m=2)
    names = ["cnn.0", "cnn.2", "cnn.4", "conv_last"]
    wanted = channel_means(net, names, calibration)
    plain = calibrate(net=net, scheme=make_scheme(weight_bits=4), calibration=calibration)
    assert biased(plain.net) == names
    corrected = run(BiasCorrection(name="bias_correction"), activation="relu", m=2)
    for name in names:
        before = (channel_means(plain.net, [name], calibration)[name] - wanted[name]).abs().max()
        after = (channel_means(corrected.net, [name], calibration)[name] - wanted[name]).abs().max()
        assert before > 0.005 and after < 0.002, f"{name}: {before} -> {after}"
    assert corrected.figures["bias_correction_largest_shift"] > 0.005


def test_the_definition(make_net, calibration):
    net = make_net()
    with torch.no_grad():
        plain = torch.cat([net.cnn[0](batch) for batch in calibration]).mean((0, 2, 3))
    assert torch.allclose(channel_means(net, ["cnn.0"], calibration)["cnn.0"].float(), plain, atol=1e-6)


def test_quantizers_are_where_they_were(make_net, make_scheme, calibration):
    simulation = calibrate(net=make_net(residual="input_to_output"), scheme=make_scheme(), calibration=calibration)
    before = [module.output_quantizers[0] for module in simulation.aimet.qmodules()]
    channel_means(simulation.net, biased(simulation.net), calibration)
    after = [module.output_quantizers[0] for module in simulation.aimet.qmodules()]
    assert any(before) and all(a is b for a, b in zip(before, after, strict=True))
