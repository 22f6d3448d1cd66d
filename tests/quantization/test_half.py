import numpy as np
import onnxruntime
import pytest
import torch

from sr.quantization.pipeline import load_simulation
from sr.quantization.ptq import calibrate


@pytest.fixture
def half(make_scheme):
    return make_scheme(name="fp16", numbers="float", weight_bits=16, activation_bits=16)


def test_every_value_is_an_fp16(make_net, half, pixels):
    net = make_net()
    simulation = calibrate(net=net, scheme=half, calibration=[])
    sr = simulation.net(pixels)
    assert torch.equal(sr, sr.half().float())
    assert 0 < (sr - net(pixels)).abs().max() < 2e-3, "ten bits of mantissa over three layers"
    assert all(torch.equal(p, p.half().float()) for p in simulation.net.parameters())
    assert not all(torch.equal(p, p.half().float()) for p in net.parameters()), "the float net is left alone"


def test_round_trip_and_export(make_net, half, pixels, tmp_path):
    simulation = calibrate(net=make_net(), scheme=half, calibration=[])
    simulation.save(tmp_path)
    assert torch.equal(
        load_simulation(net=make_net(), scheme=half, folder=tmp_path).net(pixels), simulation.net(pixels)
    )
    simulation.export_qdq(tmp_path / "net.onnx", height=30, width=40)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    (sr,) = session.run(None, {"input": pixels.numpy()})
    assert np.abs(sr - simulation.net(pixels).detach().numpy()).max() < 2e-3
    assert torch.equal(
        load_simulation(net=make_net(), scheme=half, folder=tmp_path).net(pixels), simulation.net(pixels)
    )


def test_weights_beyond_fp16_are_refused(make_net, half):
    net = make_net()
    with torch.no_grad():
        net.conv_last.weight[0, 0, 0, 0] = 1e5
    with pytest.raises(ValueError, match=r"conv_last.weight has values beyond 65504, .* use quantization=fp32"):
        calibrate(net=net, scheme=half, calibration=[])
