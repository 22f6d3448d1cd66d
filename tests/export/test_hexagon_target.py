"""The export to the HTP: files, proof, the tail that each chip gets, refusals."""

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from sr.export.certificate.proof import failures
from sr.export.hexagon import qnn_session
from sr.export.hexagon_target import Hexagon
from sr.export.tail import NoPolyphaseTailError

OPEN = {"size": "20x28", "space_to_depth": "operator", "num_crops": 2, "crop_lr_side": 24, "engines": {}}


@pytest.fixture
def hexagon_target(bounds: Callable[..., Any]) -> Hexagon:
    """A target with one chip."""
    return Hexagon(
        **OPEN,
        bounds=bounds(),
        emulate=[69, 73],
        chips=["SM8450"],
        estimates=["SA8775P"],
        v69_lift_lsb=0.06,
        tail="plain",
    )


def files(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


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
    kit = {name for name in certificate["files"] if name.startswith("phone/")}
    assert set(certificate["files"]) - kit == named | {f"hexagon/{name}" for name in compiled}
    assert {f"phone/models/SM8450_pixels_v69_{size}_qnn.bin" for size in ("20x28", "24x24")} <= kit
    assert {"phone/manifest.json", "phone/run.sh", "phone/expected/htp_v69/frame.raw.xz"} <= kit
    assert certificate["hexagon"]["compiler"]["qairt"].count(".") == 2
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
    runtimes = hexagon_target.runtimes(folder)
    assert list(runtimes) == ["onnxruntime", "htp_v69", "htp_v73"]
    images = {name: runtime.open()(pairs[0].lr[:13, :18]) for name, runtime in runtimes.items()}
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
@pytest.mark.qnn
@pytest.mark.parametrize("residual", ["none", "input_to_output"])
def test_a_polyphase_tail_for_every_chip(
    residual: str, tiny_net: Any, simulated: Any, crops: Any, hexagon_target: Hexagon, tmp_path: Path, capfd: Any
) -> None:
    net, folder = tiny_net(residual=residual), tmp_path / "export"
    target = replace(hexagon_target, tail="polyphase")
    pairs = crops(2, side=25)
    certificate = target.export(simulation=simulated(net), float_net=net, crops=pairs, folder=folder)
    assert not failures(certificate)
    assert certificate["inputs"]["crops"]["lr_height_width"] == [24, 24]
    forms = {form["name"]: form["file"] for form in certificate["forms"]}
    assert forms["polyphase"] == "pixels_polyphase_20x28.onnx"
    assert forms["htp_v69_polyphase"] == "pixels_v69_polyphase_20x28.onnx"
    assert forms["htp_v73_polyphase"] == "pixels_polyphase_20x28.onnx"
    (link,) = [row for row in certificate["links"] if (row["first"], row["second"]) == ("pixels_fast", "polyphase")]
    assert (link["max_lsb"], link["largest_lsb"], link["holds"]) == (0, 0, True)
    bound = {pair["first"] for pair in certificate["closeness"]}
    assert bound == {"crd", "htp_v69", "htp_v73", "htp_v69_polyphase", "htp_v73_polyphase"}
    (context,), (estimate,) = certificate["hexagon"]["contexts"], certificate["hexagon"]["estimates"]
    assert context["tail"] == estimate["tail"] == "polyphase"
    assert context["files"][0] == "SM8450_pixels_v69_polyphase_20x28.onnx"
    assert context["tail_estimates_us"]["chip"] == "SA8540P"
    assert estimate["tail_estimates_us"]["polyphase"] == estimate["estimate_us"]
    assert "stride 2" in certificate["rewrites"][-1] and "polyphase on HTP v73" in certificate["rewrites"][-1]
    assert "polyphase tail" in capfd.readouterr().out
    assert list(target.runtimes(folder)) == ["onnxruntime", "htp_v69", "htp_v73"]


@pytest.mark.aimet
@pytest.mark.qnn
def test_where_there_is_no_polyphase_tail(
    tiny_net: Any, simulated: Any, crops: Any, hexagon_target: Hexagon, tmp_path: Path
) -> None:
    net = tiny_net()
    arguments = {"simulation": simulated(net), "float_net": net, "crops": crops(2), "folder": tmp_path / "export"}
    odd = replace(hexagon_target, size="21x28", estimates=[], tail="auto")
    certificate = odd.export(**arguments)
    assert certificate["rewrites"][-1].startswith("tail stays plain: a polyphase tail needs even sides")
    assert [row["tail"] for row in certificate["hexagon"]["contexts"]] == ["plain"]
    assert not any("polyphase" in name for name in certificate["files"])
    wide = replace(hexagon_target, size="24x60", tail="polyphase")
    with pytest.raises(NoPolyphaseTailError, match=r"export.tail=polyphase: .* set size=<height>x64 .*auto or plain"):
        wide.export(**arguments)


@pytest.mark.parametrize(
    ("size", "scale", "reason"),
    [("20x28", 2, None), ("22x30", 1.5, "which 22x30 LR pixels do not give")],
)
def test_before_training_a_tail_is_refused(
    size: str, scale: float, reason: str | None, tiny_net: Any, hexagon_target: Hexagon
) -> None:
    scheme: Any = type("Fp32", (), {"name": "fp32", "is_float": True, "is_unchanged": True})()
    target, net = replace(hexagon_target, tail="polyphase", size=size), tiny_net(scale=scale)
    if reason is None:
        target.check(scheme, net)
        return
    with pytest.raises(ValueError, match=f"export.tail=polyphase: .*{reason}; take export.tail=auto or plain"):
        target.check(scheme, net)
    replace(target, tail="auto").check(scheme, net)


def test_without_the_compiler_the_rest_is_done_and_said(
    tiny_net: Any, crops: Any, bounds: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    from sr.quantization.simulation import Simulation

    monkeypatch.setitem(__import__("sys").modules, "onnxruntime_qnn", None)
    net, folder = tiny_net(), tmp_path / "export"
    scheme: Any = type("Fp32", (), {"name": "fp32", "is_float": True, "is_unchanged": True})()
    target = Hexagon(
        **OPEN,
        bounds=bounds(float_share=5e-3),
        emulate=[73],
        chips=["SM8450"],
        estimates=[],
        v69_lift_lsb=0.06,
        tail="auto",
    )
    made = target.export(simulation=Simulation(net, scheme), float_net=net, crops=crops(2), folder=folder)
    assert made["hexagon"]["skipped"].startswith("onnxruntime-qnn, the Hexagon compiler, is not installed")
    assert "Hexagon was left out: onnxruntime-qnn" in capfd.readouterr().out
    assert "pixels.onnx" in files(folder) and list(target.runtimes(folder)) == ["onnxruntime"]
    assert qnn_session.why_hexagon_is_missing() == made["hexagon"]["skipped"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chips": ["SM1"]}, "unknown chip SM1"),
        ({"emulate": [70]}, "no chip has an HTP of version 70"),
        ({"tail": "fast"}, "export.tail is auto, plain or polyphase, got 'fast'"),
        ({"tail": "polyphase", "size": "21x28"}, "needs even LR sides, got size=21x28; take export.tail=auto or plain"),
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
        "tail": "plain",
    }
    with pytest.raises(ValueError, match=message):
        Hexagon(**values | changes)
