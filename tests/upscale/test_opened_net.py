"""Nets by name, run and file, on each runtime, with the same pixels."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from skimage import data

from sr.experiment import build, compose
from sr.models.weights import FLOAT_WEIGHTS, save_weights
from sr.pretrained import find
from sr.upscale.opened_net import PIXEL_FILES, open_net

IMAGE = np.ascontiguousarray(data.astronaut()[:54, :96])
(INT8_FILE,) = find("quicksrnet_small", 2).glob(PIXEL_FILES)


@pytest.fixture(scope="module")
def certified() -> np.ndarray:
    """What the exported file itself makes of a picture of the size that it is fixed to."""
    session = onnxruntime.InferenceSession(INT8_FILE, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: _full_hd()[None]})[0][0]


def _full_hd() -> np.ndarray:
    return np.ascontiguousarray(np.tile(data.astronaut(), (2, 2, 1))[:540, :960])


@pytest.mark.parametrize(("runtime", "share"), [("onnxruntime", 0.0), ("litert", 0.0), ("openvino", 0.002)])
def test_int8_gives_the_pixels_of_the_exported_file(certified, runtime, share):
    opened = open_net("quicksrnet_small", precision="int8", runtime=runtime)
    made = opened(_full_hd())
    assert (made != certified).mean() <= share and np.abs(made.astype(int) - certified).max() <= (2 if share else 0)
    assert opened.title == f"quicksrnet_small x2, int8 on {runtime}"


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino", "litert"])
def test_fp32_gives_the_pixels_of_torch(net, runtime):
    made = open_net("quicksrnet_small", runtime=runtime)(IMAGE)
    assert (made != net(IMAGE)).mean() < 1e-3 and np.abs(made.astype(int) - net(IMAGE)).max() <= 1


@pytest.mark.parametrize("side", [5, 16, 200])
def test_tiles_of_a_large_picture_meet_without_a_seam(int8_net, side, monkeypatch):
    whole = int8_net.upscaler(IMAGE)
    monkeypatch.setattr("sr.evaluation.tiles.SIDE", side)
    assert np.array_equal(int8_net(IMAGE), whole)


@pytest.mark.parametrize("name", ["w8a8_gptq_qdq_dcr.onnx", "w8a8_gptq_qdq_pixels_720x1280.onnx"])
def test_an_exported_file_is_a_net(name):
    opened = open_net(str(find("quicksrnet_small", 1.5) / name), runtime="onnxruntime")
    assert opened.scale == 1.5 and opened(IMAGE[:51, :77]).shape == (77, 116, 3)
    assert np.array_equal(
        opened(IMAGE), open_net("quicksrnet_small", scale=1.5, precision="int8", runtime="onnxruntime")(IMAGE)
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a luma net."""
    config = compose(["model=fsrcnn", "machine.threads=1"])
    task, _ = build(config)
    folder = tmp_path_factory.mktemp("run")
    save_weights(task.deployable(), folder / FLOAT_WEIGHTS, {"config": {"model": dict(config.model)}})
    return folder


def test_a_run_and_its_weights_are_a_net(run):
    opened = open_net(str(run))
    assert opened.upscaler.color == "y" and opened(IMAGE).shape == (108, 192, 3)
    assert np.array_equal(opened(IMAGE), open_net(str(run / FLOAT_WEIGHTS))(IMAGE))
    with pytest.raises(ValueError, match=r"has no export/pixels\.onnx: the run was not quantized and exported"):
        open_net(str(run), precision="int8")


def test_sixteen_bits_go_through_a_float_net(net):
    deep = IMAGE.astype(np.uint16) * 257
    made = net(deep)
    assert made.dtype == np.uint16 and net.takes_16_bits
    assert np.abs(made / 257 - net(IMAGE)).max() <= 0.51
    assert len(np.unique(made)) > 256


@pytest.mark.parametrize(
    ("source", "how", "message"),
    [
        ("nothing", {}, "no pretrained net is called 'nothing'"),
        ("quicksrnet_small", {"scale": 7}, "is for x1.5, x2, x3, x4, not for x7"),
        ("quicksrnet_small", {"precision": "int8", "runtime": "torch"}, "torch runs the float net"),
        ("quicksrnet_small", {"precision": "int8", "device": "cuda"}, "runs on the CPU: leave it out"),
        ("quicksrnet_small", {"device": "nowhere"}, "--device nowhere cannot be used"),
        (str(INT8_FILE), {"precision": "fp32"}, "holds an int8 net; leave --precision out"),
        (str(INT8_FILE), {"scale": 3}, "is for x2, not for x3"),
        (str(INT8_FILE), {"runtime": "torch"}, "is an exported file"),
        ("missing.onnx", {}, "no ONNX file at missing.onnx"),
        ("missing.tflite", {}, "no file missing.tflite"),
        ("missing.tflite", {"runtime": "torch"}, "runs on litert"),
    ],
)
def test_refusals(source, how, message):
    with pytest.raises(ValueError, match=message):
        open_net(source, **how)


def test_a_file_of_somebody_else_is_refused(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(ValueError, match=r"net\.onnx (is no ONNX file|was not exported by this project)"):
        open_net(str(path))
