"""The export to ONNX Runtime: files, proof, refusal, and nothing to do the second time."""

import json
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
from sr.export.litert.interpreter import LiteRt
from sr.export.openvino import OpenVino
from sr.export.target import Onnx

OPEN = {"size": "20x28", "space_to_depth": "operator", "num_crops": 2, "crop_lr_side": 24, "engines": {}}


def files(folder: Path) -> set[str]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def onnx_target(bounds: Callable[..., Any]) -> Callable[..., Onnx]:
    """A target without chips, with changed bounds."""
    return lambda **changes: Onnx(**OPEN, bounds=bounds(**changes))


@pytest.mark.aimet
def test_further_engines_are_in_the_same_certificate(
    tiny_net: Any, simulated: Any, crops: Any, onnx_target: Any, tmp_path: Path, capfd: Any
) -> None:
    phone = AiHub(device="Samsung Galaxy S22 5G", target_runtime="qnn_dlc", submit=False)
    timed = {"num_threads": 1, "num_repeats": 2}
    engines = {
        "litert": LiteRt(**timed, portable=False, max_db=0.1),
        "openvino": OpenVino(**timed, max_db=0.02),
        "ai_hub": phone,
    }
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
    upscalers = {name: each.open() for name, each in target.runtimes(tmp_path / "export").items()}
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


def test_an_unknown_form_of_space_to_depth(bounds: Any) -> None:
    with pytest.raises(ValueError, match=r"export.space_to_depth is operator or convolution, got 'dcr'"):
        Onnx(**OPEN | {"space_to_depth": "dcr"}, bounds=bounds())
