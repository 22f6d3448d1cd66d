import json
import os

import numpy as np
import onnxruntime
import pytest
import torch

from sr.quantization.kept_result import kept_or_made
from sr.quantization.pipeline import load_simulation, quantize
from sr.quantization.simulation import SIMULATION_FILE


@pytest.fixture
def floats(make_scheme):
    return make_scheme(name="fp32", numbers="float", weight_bits=32, activation_bits=32)


@pytest.fixture
def simulation(make_net, floats, stream, score, tmp_path):
    inputs = {"stream": stream, "loss": torch.nn.L1Loss(), "score": score, "folder": tmp_path, "seed": 0}
    return quantize(net=make_net(), scheme=floats, calibration=[], **inputs)


def test_the_float_scheme_changes_nothing(simulation, make_net, pixels):
    net = make_net()
    assert simulation.net is not net and torch.allclose(simulation.net(pixels), net(pixels), atol=1e-6)
    assert simulation.encodings("2.0.0") == {"version": "2.0.0", "encodings": []}


def test_float_round_trip(simulation, make_net, floats, pixels, tmp_path):
    simulation.save(tmp_path)
    other = make_net()
    with torch.no_grad():
        other.conv_last.weight.zero_()
    loaded = load_simulation(net=other, scheme=floats, folder=tmp_path)
    assert torch.equal(loaded.net(pixels), simulation.net(pixels))
    assert loaded.figures == simulation.figures


@pytest.mark.parametrize(("height", "width"), [(30, 40), (None, None)])
def test_float_export(simulation, pixels, tmp_path, height, width):
    path = tmp_path / "net.onnx"
    simulation.export_qdq(path, height=height, width=width)
    session = onnxruntime.InferenceSession(str(path))
    (sr,) = session.run(None, {"input": pixels.numpy()})
    np.testing.assert_allclose(sr, simulation.net(pixels).detach().numpy(), atol=1e-5)
    if height is None:
        assert session.run(None, {"input": pixels.numpy()[:, :, :16, :18]})[0].shape == (1, 3, 32, 36)
    assert [file.name for file in tmp_path.iterdir()] == ["net.onnx"], "nothing else is left behind"


def test_an_export_has_both_sizes_or_none(simulation, tmp_path):
    with pytest.raises(ValueError, match="both height and width or neither, got height=30 width=None"):
        simulation.export_qdq(tmp_path / "net.onnx", height=30, width=None)


def test_a_missing_file(make_net, floats, tmp_path):
    with pytest.raises(ValueError, match=r"no quantized net at .*simulation.pt: run the quantization stage first"):
        load_simulation(net=make_net(), scheme=floats, folder=tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_damaged_file(simulation, make_net, floats, tmp_path, content):
    path = simulation.save(tmp_path)
    path.write_bytes(path.read_bytes()[:1000] if content is None else content)
    with pytest.raises(ValueError, match=f"{SIMULATION_FILE} is damaged .* remove it to make it again"):
        load_simulation(net=make_net(), scheme=floats, folder=tmp_path)


def test_a_file_of_another_scheme(simulation, make_net, make_scheme, tmp_path):
    simulation.save(tmp_path)
    with pytest.raises(ValueError, match=r"was made by .*fp32.*, not by .*other"):
        load_simulation(
            net=make_net(),
            scheme=make_scheme(name="other", numbers="float", weight_bits=32, activation_bits=32),
            folder=tmp_path,
        )


def test_a_file_of_another_net(simulation, make_net, floats, tmp_path):
    simulation.save(tmp_path)
    with pytest.raises(ValueError, match=r"belongs to another net .*cnn.4.weight"):
        load_simulation(net=make_net(m=2), scheme=floats, folder=tmp_path)


def test_figures_are_json(simulation):
    assert json.loads(json.dumps(simulation.figures)) == simulation.figures


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files")
@pytest.mark.parametrize("write", ["save", "kept"])
def test_a_full_disk_is_told_in_the_words_of_the_system(simulation, tmp_path, write):
    import resource

    path = simulation.save(tmp_path) if write == "save" else tmp_path / "step.pt"
    before = path.read_bytes() if path.exists() else None
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match=f"{path.name} could not be written: File too large$"):
            if write == "save":
                simulation.save(tmp_path)
            else:
                kept_or_made(path, "key", lambda: {"weight": torch.zeros(5000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (path.read_bytes() if path.exists() else None) == before
    assert [each.name for each in tmp_path.iterdir()] == ([path.name] if before else [])
