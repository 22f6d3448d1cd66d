import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from sr.quantization.pipeline import load_simulation
from sr.quantization.ptq import calibrate

pytestmark = pytest.mark.aimet


def lsb(a, b):
    """Differences in steps of 1/255."""
    return np.abs(np.round(a * 255) - np.round(b * 255))


def run(path, image, optimize):
    options = onnxruntime.SessionOptions()
    levels = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimize else levels.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options).run(None, {"input": image.numpy()})[0]


NETS = [
    {},
    {"residual": "input_to_output"},
    {"residual": "nearest"},
    {"scale": 1.5},
    {"scale": 1.5, "residual": "input_to_output"},
    {"scale": 1.5, "upscaling": "average_pool"},
    {"activation": "relu", "scale": 3},
]


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("changes", NETS, ids=lambda changes: "-".join(map(str, changes.values())) or "plain")
def test_onnx_runtime_agrees(make_net, make_scheme, calibration, pixels, tmp_path, changes, per_channel):
    simulation = calibrate(
        net=make_net(**changes), scheme=make_scheme(per_channel=per_channel), calibration=calibration
    )
    simulation.snap()
    with torch.no_grad():
        expected = simulation.net(pixels).numpy()
    for size in ((30, 40), (None, None)):
        path = tmp_path / "net.onnx"
        simulation.export_qdq(path, height=size[0], width=size[1])
        for optimize in (False, True):
            difference = lsb(run(path, pixels, optimize), expected)
            assert difference.max() <= 2 and (difference > 0).mean() < 0.004, (size, optimize)


@pytest.mark.parametrize(("weights", "activations", "dtype"), [(4, 8, "int4"), (8, 16, "int8")])
def test_other_widths(make_net, make_scheme, calibration, pixels, tmp_path, weights, activations, dtype):
    scheme = make_scheme(weight_bits=weights, activation_bits=activations)
    simulation = calibrate(net=make_net(), scheme=scheme, calibration=calibration)
    simulation.snap()
    simulation.export_qdq(tmp_path / "net.onnx", height=30, width=40)
    with torch.no_grad():
        expected = simulation.net(pixels).numpy()
    assert np.abs(run(tmp_path / "net.onnx", pixels, True) - expected).max() <= 2.01 / 255
    encodings = {entry["name"]: entry["output_dtype"] for entry in simulation.encodings("2.0.0")["encodings"]}
    assert encodings["cnn.0.weight"] == dtype and encodings["input"] == f"uint{activations}"


@pytest.mark.parametrize("changes", NETS[:4], ids=lambda changes: "-".join(map(str, changes.values())) or "plain")
def test_snapped_biases_are_the_exported_integers(make_net, make_scheme, calibration, tmp_path, changes):
    simulation = calibrate(net=make_net(**changes), scheme=make_scheme(), calibration=calibration)
    before = {name: value.clone() for name, value in simulation.net.named_parameters() if name.endswith("bias")}
    simulation.snap()
    path = tmp_path / "net.onnx"
    simulation.export_qdq(path, height=30, width=40)
    constants = {c.name: numpy_helper.to_array(c) for c in onnx.load(path).graph.initializer}
    convs = {name: module for name, module in simulation.net.named_modules() if isinstance(module, torch.nn.Conv2d)}
    assert set(before) == {f"{name}.bias" for name in convs}
    for name, conv in convs.items():
        # Everything that a convolution reads here is pixels or a pinned clip: the input's scale is 1/255.
        step = conv.param_quantizers["weight"].get_scale().detach().flatten().double() / 255
        bias = conv.bias.detach().double()
        assert torch.allclose(bias / step, (bias / step).round(), atol=1e-2)
        assert ((bias - before[f"{name}.bias"]).abs() <= 0.5001 * step).all(), "to the nearest"
        assert constants[f"{name}.bias_q"].dtype == np.int32
        np.testing.assert_array_equal(constants[f"{name}.bias_q"], (bias / step).round().numpy())
        np.testing.assert_allclose(constants[f"{name}.bias_scale"], step.numpy(), rtol=1e-5)
        assert constants[f"{name}.weight_q"].dtype == np.int8


@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize(("bits", "lowest"), [(8, -127), (4, -8)])
def test_no_weight_of_8_bits_is_the_lowest_integer(make_net, make_scheme, calibration, per_channel, bits, lowest):
    net = make_net()
    with torch.no_grad():
        net.cnn[0].weight[0, 0, 0, 0] = -3.0
    scheme = make_scheme(weight_bits=bits, per_channel=per_channel)
    simulation = calibrate(net=net, scheme=scheme, calibration=calibration)
    layer = simulation.net.cnn[0]

    def integers():
        scale = layer.param_quantizers["weight"].get_scale()
        return (layer.param_quantizers["weight"](layer.weight) / scale).as_subclass(torch.Tensor).round()

    found = integers()
    assert found.min() == found[0, 0, 0, 0] == lowest
    if bits == 8:  # nothing is cut off
        assert layer.param_quantizers["weight"].get_scale().flatten()[0].item() == pytest.approx(3 / 127)
    with torch.no_grad():
        layer.weight[0, 0, 0, 0] = -4.0
    simulation.snap()
    assert integers().min() == lowest


def test_snapping_twice_changes_nothing(make_net, make_scheme, calibration):
    simulation = calibrate(net=make_net(), scheme=make_scheme(), calibration=calibration)
    simulation.snap()
    once = [parameter.clone() for parameter in simulation.net.parameters()]
    simulation.snap()
    assert all(torch.equal(a, b) for a, b in zip(once, simulation.net.parameters(), strict=True))


@pytest.mark.parametrize("changes", NETS[:3], ids=lambda changes: "-".join(map(str, changes.values())) or "plain")
def test_saved_and_loaded_is_equal_to_the_bit(make_net, make_scheme, calibration, pixels, tmp_path, changes):
    scheme = make_scheme()
    simulation = calibrate(net=make_net(**changes), scheme=scheme, calibration=calibration)
    simulation.snap()
    simulation.save(tmp_path)
    loaded = load_simulation(net=make_net(**changes), scheme=scheme, folder=tmp_path)
    with torch.no_grad():
        assert torch.equal(loaded.net(pixels), simulation.net(pixels))
    assert loaded.net.scale == simulation.net.scale and not loaded.net.training
    for (name, a), b in zip(loaded.net.named_parameters(), simulation.net.parameters(), strict=True):
        assert torch.equal(a, b) and a.requires_grad == b.requires_grad, name


def test_encodings(make_net, make_scheme, calibration):
    simulation = calibrate(net=make_net(), scheme=make_scheme(), calibration=calibration)
    old = simulation.encodings("1.0.0")
    image = next(entry for entry in old["activation_encodings"] if entry["name"] == "input")
    assert image["scale"] == [pytest.approx(1 / 255)] and image["offset"] == [0] and image["bw"] == 8
    weight = next(entry for entry in old["param_encodings"] if entry["name"] == "cnn.0.weight")
    assert len(weight["scale"]) == 8 and weight["is_sym"] and weight["enc_type"] == "PER_CHANNEL"
    new = {entry["name"]: entry for entry in simulation.encodings("2.0.0")["encodings"]}
    assert new["cnn.0.weight"]["output_dtype"] == "int8" and new["cnn.0.bias"]["output_dtype"] == "int32"
    assert new["output"]["y_scale"] == pytest.approx(1 / 255)


def test_it_is_quiet(make_net, make_scheme, calibration, tmp_path, capfd, caplog, recwarn):
    simulation = calibrate(net=make_net(), scheme=make_scheme(), calibration=calibration)
    simulation.snap()
    simulation.export_qdq(tmp_path / "net.onnx", height=None, width=None)
    simulation.encodings("2.0.0")
    printed = capfd.readouterr()
    assert (printed.out, printed.err, caplog.text) == ("", "", "")
    # Python itself hides deprecations that are raised within libraries.
    assert not [str(warning) for warning in recwarn if not issubclass(warning.category, DeprecationWarning)]
