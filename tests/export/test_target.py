"""The whole export: files, proof, refusal, and nothing to do the second time."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from sr.export.ai_hub import AiHub
from sr.export.certificate.proof import failures
from sr.export.hexagon import qnn_session
from sr.export.litert.interpreter import LiteRt
from sr.export.openvino import OpenVino
from sr.export.target import Hexagon, NoExport, Onnx

OPEN = {"size": "20x28", "space_to_depth": "operator", "num_crops": 2, "crop_lr_side": 24, "engines": {}}


@pytest.fixture
def onnx_target(bounds: Callable[..., Any]) -> Callable[..., Onnx]:
    """A target without chips, with changed bounds."""
    return lambda **changes: Onnx(**OPEN, bounds=bounds(**changes))


@pytest.fixture
def hexagon_target(bounds: Callable[..., Any]) -> Hexagon:
    """A target with one chip."""
    return Hexagon(
        **OPEN, bounds=bounds(), emulate=[69, 73], chips=["SM8450"], estimates=["SA8775P"], v69_lift_lsb=0.06
    )


def files(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_nothing(tmp_path: Path) -> None:
    assert NoExport().export(simulation=None, float_net=None, crops=[], folder=tmp_path) == {}
    assert NoExport().upscalers(tmp_path) == {} and not files(tmp_path)


@pytest.mark.aimet
@pytest.mark.qnn
@pytest.mark.parametrize("scale", [1.5, 2])
def test_hexagon(
    scale: float, tiny_net: Any, simulated: Any, crops: Any, hexagon_target: Hexagon, tmp_path: Path, capfd: Any
) -> None:
    net, folder = tiny_net(scale=scale), tmp_path / "export"
    pairs = crops(scale)
    certificate = hexagon_target.export(simulation=simulated(net), float_net=net, crops=pairs, folder=folder)
    screen = capfd.readouterr()
    assert "HTP v73 emulator" in screen.out and "compiler's estimate" in screen.out
    assert "qnn" not in screen.err.lower() and "LIBNATIVE" not in screen.out + screen.err
    named = {"float.onnx", "crd.onnx", "dcr.onnx", "pixels.onnx", "pixels_20x28.onnx"}
    named |= {"pixels_v69.onnx", "pixels_v69_20x28.onnx", "aimet/net.onnx", "aimet/net.encodings"}
    compiled = {"SM8450_pixels_v69_20x28.onnx", "SM8450_pixels_v69_20x28_qnn.bin", "pixels_20x28.dlc"}
    assert set(certificate["files"]) == named | {f"hexagon/{name}" for name in compiled}
    assert files(folder) == set(certificate["files"]) | {"certificate.json", "qnn.log"}
    assert json.loads((folder / "certificate.json").read_text()) == certificate
    assert not failures(certificate)
    names = ["float", "simulation", "crd", "crd_fast", "dcr", "dcr_fast", "pixels", "pixels_fast", "htp_v69", "htp_v73"]
    assert [form["name"] for form in certificate["forms"]] == names
    assert [form["file"] for form in certificate["forms"][-2:]] == ["pixels_v69.onnx", "pixels.onnx"]
    assert {pair["first"] for pair in certificate["closeness"]} == {"crd", "htp_v69", "htp_v73"}
    (estimate,) = certificate["hexagon"]["estimates"]
    assert estimate["lower_us"] <= estimate["estimate_us"] <= estimate["upper_us"]
    assert zipfile.is_zipfile(folder / "hexagon/pixels_20x28.dlc")
    fixed = onnx.load(folder / "pixels_20x28.onnx").graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in fixed] == [1, 20, 28, 3]
    upscalers = hexagon_target.upscalers(folder)
    assert list(upscalers) == ["onnxruntime", "htp_v69", "htp_v73"]
    images = {name: upscale(pairs[0].lr[:13, :18]) for name, upscale in upscalers.items()}
    assert {image.shape for image in images.values()} == {(int(np.ceil(13 * scale)), int(18 * scale), 3)}
    assert all(np.abs(image.astype(int) - images["onnxruntime"]).max() <= 6 for image in images.values())


@pytest.mark.aimet
@pytest.mark.qnn
@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("w4a8", {"weight_bits": 4}),
        ("w8a16", {"activation_bits": 16}),
        ("per_tensor", {"per_channel": False}),
        ("fp16", {"numbers": "float", "weight_bits": 16, "activation_bits": 16}),
    ],
)
def test_every_scheme_that_the_htp_takes(
    name: str, scheme: Any, tiny_net: Any, simulated: Any, crops: Any, hexagon_target: Hexagon, tmp_path: Path
) -> None:
    net, target = tiny_net(), replace(hexagon_target, estimates=[])
    simulation = simulated(net, name=name, **scheme)
    certificate = target.export(simulation=simulation, float_net=net, crops=crops(2), folder=tmp_path / "export")
    assert not failures(certificate)
    (context,) = certificate["hexagon"]["contexts"]
    assert context["num_nodes_on_htp"] == 1 and context["num_nodes_elsewhere"] == 0
    names = [form["name"] for form in certificate["forms"]]
    assert names[:2] == ["float", "simulation"] and names[-2:] == ["htp_v69", "htp_v73"]
    assert {pair["second"] for pair in certificate["closeness"]} == {"simulation"}


@pytest.mark.aimet
def test_weights_of_sixteen_bits_are_refused(
    tiny_net: Any, simulated: Any, crops: Any, hexagon_target: Hexagon, tmp_path: Path
) -> None:
    net = tiny_net()
    simulation = simulated(net, name="w16a16", weight_bits=16, activation_bits=16)
    with pytest.raises(ValueError, match="the HTP takes weights of 4 or 8 bits, and scheme w16a16 has weight_bits=16"):
        hexagon_target.export(simulation=simulation, float_net=net, crops=crops(2), folder=tmp_path)


@pytest.mark.aimet
def test_further_engines_are_in_the_same_certificate(
    tiny_net: Any, simulated: Any, crops: Any, onnx_target: Any, tmp_path: Path, capfd: Any
) -> None:
    phone = AiHub(device="Samsung Galaxy S22 5G", target_runtime="qnn_dlc", submit=False)
    timed = {"num_threads": 1, "num_repeats": 2}
    engines = {"litert": LiteRt(**timed, max_db=0.1), "openvino": OpenVino(**timed, max_db=0.02), "ai_hub": phone}
    net, target = tiny_net(), replace(onnx_target(), engines=engines)
    arguments = {"simulation": simulated(net), "float_net": net, "crops": crops(2), "folder": tmp_path / "export"}
    certificate = target.export(**arguments)
    here = [name for name in ("litert", "openvino") if engines[name].why_missing() is None]
    missing = [name for name in ("litert", "openvino") if name not in here]
    assert all("pip install" in certificate["engines"][name]["skipped"] for name in missing)
    assert [pair["first"] for pair in certificate["closeness"]] == ["crd", *here]
    assert all(certificate["engines"][name]["latency"]["median_ms"] > 0 for name in here)
    assert "ai_hub/job.json" in certificate["files"]
    screen = capfd.readouterr()
    assert all(f"{name}: " in screen.out for name in engines) and "XNNPACK" not in screen.out + screen.err
    upscalers = target.upscalers(tmp_path / "export")
    assert list(upscalers) == ["onnxruntime", *here]
    lr = crops(2)[0].lr[:13, :18]
    wanted = upscalers["onnxruntime"](lr).astype(int)
    assert all(np.abs(upscalers[name](lr) - wanted).max() <= 2 for name in here)
    assert target.export(**arguments) == certificate, "nothing is done twice"


@pytest.mark.aimet
def test_the_second_time_there_is_nothing_to_do_until_something_changes(
    tiny_net: Any, simulated: Any, crops: Any, onnx_target: Any, tmp_path: Path
) -> None:
    net, folder = tiny_net(), tmp_path / "export"
    simulation = simulated(net)

    def export(**changes: Any) -> dict[str, Any]:
        arguments = {"simulation": simulation, "float_net": net, "crops": crops(2), "folder": folder} | changes
        return onnx_target().export(**arguments)

    first = export()
    written = {name: (folder / name).stat().st_mtime_ns for name in files(folder)}
    assert export() == first
    assert {name: (folder / name).stat().st_mtime_ns for name in files(folder)} == written
    (folder / "pixels.onnx").write_bytes(b"damaged")
    assert export()["files"] == first["files"]
    assert (folder / "pixels.onnx").stat().st_mtime_ns > written["pixels.onnx"]
    assert export(crops=crops(2, count=1))["inputs"]["crops"]["names"] == ["0"]
    other = simulated(tiny_net(m=2))
    assert export(simulation=other)["inputs"]["simulation_sha256"] != first["inputs"]["simulation_sha256"]


@pytest.mark.parametrize("scale", [1.5, 3])
def test_a_float_net(scale: float, tiny_net: Any, crops: Any, bounds: Any, tmp_path: Path) -> None:
    from sr.quantization.simulation import Simulation

    net = tiny_net(scale=scale)
    scheme: Any = type("Fp32", (), {"name": "fp32", "is_float": True, "is_unchanged": True})()
    target = Onnx(**OPEN, bounds=bounds(float_share=5e-3))
    made = target.export(
        simulation=Simulation(net, scheme), float_net=net, crops=crops(scale), folder=tmp_path / "export"
    )
    assert set(made["files"]) == {"float.onnx", "crd.onnx", "dcr.onnx", "pixels.onnx", "pixels_20x28.onnx"}
    assert "simulation" not in [form["name"] for form in made["forms"]]
    assert all(row["holds"] for row in made["links"])


@pytest.mark.aimet
def test_outside_of_a_bound_nothing_is_released(
    tiny_net: Any, simulated: Any, crops: Any, onnx_target: Any, tmp_path: Path
) -> None:
    net, folder = tiny_net(), tmp_path / "export"
    simulation = simulated(net)
    arguments = {"simulation": simulation, "float_net": net, "crops": crops(2), "folder": folder}
    onnx_target().export(**arguments)
    with torch.no_grad():  # off its grid: what quantizing without `snap` leaves
        simulation.net.conv_last.bias += 0.02
    simulation.export_qdq = lambda path, **_: onnx.save(onnx.load(folder / "crd.onnx"), path)
    with pytest.raises(ValueError, match=r"simulation and crd differ by \d LSB .*, allowed are 2 LSB.*refused.json"):
        onnx_target().export(**arguments)
    assert files(folder) == {"refused.json"}
    assert failures(json.loads((folder / "refused.json").read_text()))
    assert list(tmp_path.iterdir()) == [folder]


def test_without_the_compiler_the_rest_is_done_and_said(
    tiny_net: Any, crops: Any, bounds: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    from sr.quantization.simulation import Simulation

    monkeypatch.setitem(__import__("sys").modules, "onnxruntime_qnn", None)
    net, folder = tiny_net(), tmp_path / "export"
    scheme: Any = type("Fp32", (), {"name": "fp32", "is_float": True, "is_unchanged": True})()
    target = Hexagon(
        **OPEN, bounds=bounds(float_share=5e-3), emulate=[73], chips=["SM8450"], estimates=[], v69_lift_lsb=0.06
    )
    made = target.export(simulation=Simulation(net, scheme), float_net=net, crops=crops(2), folder=folder)
    assert made["hexagon"]["skipped"].startswith("onnxruntime-qnn, the Hexagon compiler, is not installed")
    assert "Hexagon was left out: onnxruntime-qnn" in capfd.readouterr().out
    assert "pixels.onnx" in files(folder) and list(target.upscalers(folder)) == ["onnxruntime"]
    assert qnn_session.why_hexagon_is_missing() == made["hexagon"]["skipped"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space_to_depth": "dcr"}, "export.space_to_depth is operator or convolution, got 'dcr'"),
        ({"chips": ["SM1"]}, "unknown chip SM1"),
        ({"emulate": [70]}, "no chip has an HTP of version 70"),
    ],
)
def test_words_that_are_not_known(changes: dict[str, Any], message: str, bounds: Any) -> None:
    values: dict[str, Any] = {
        **OPEN,
        "bounds": bounds(),
        "emulate": [73],
        "chips": [],
        "estimates": [],
        "v69_lift_lsb": 0.0,
    }
    with pytest.raises(ValueError, match=message):
        Hexagon(**values | changes)
