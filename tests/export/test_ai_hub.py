"""The job is whole, and a client's answers end up in the report. Nothing is sent from here."""

import json
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sr.export.ai_hub import AiHub, gradients, send
from sr.export.graph.onnx_graph import Graph
from sr.export.graph.uint8_pixels import uint8_nhwc_io
from sr.export.release import Release

PHONE = {"device": "Samsung Galaxy S22 5G", "target_runtime": "qnn_context_binary"}


@pytest.fixture
def release(tiny_net: Any, float_graph: Any, tmp_path: Path) -> Release:
    graph = float_graph(tiny_net())
    uint8_nhwc_io(graph)
    fixed = Graph(graph.model)
    path = fixed.save(tmp_path / "pixels_24x24.onnx")
    graphs = {"crd": graph, "dcr": graph, "pixels": graph}
    return Release(**graphs, fixed=path, quantized=False, reordered_sums=False, notes=[], proof_size=(24, 24))


def test_the_job_file_says_everything(release: Release, tmp_path: Path) -> None:
    built = AiHub(**PHONE, submit=False).build(release, tmp_path, tmp_path / "log")
    job = json.loads((tmp_path / "ai_hub/job.json").read_text())
    assert job == built.report["job"]
    assert job["model"] == "pixels_24x24.onnx" and job["device"] == "Samsung Galaxy S22 5G"
    assert job["input_specs"] == {"input": [[1, 24, 24, 3], "uint8"]}
    assert job["options"] == "--target_runtime qnn_context_binary"
    assert np.load(tmp_path / job["inputs"]["input"]).shape == (1, 24, 24, 3)
    assert "qai-hub configure --api_token" in built.report["not_sent"] and built.forms == []


class Client:
    """Answers as AI Hub's client does, with the methods and arguments of qai-hub 0.56."""

    def __init__(self, output: np.ndarray, compiles: bool = True) -> None:
        self.output, self.compiles = output, compiles
        self.asked: list[dict[str, Any]] = []

    def submit_compile_job(
        self, model: str, device: Any, name: Any = None, input_specs: Any = None, options: str = ""
    ) -> Any:
        self.asked.append({"model": model, "input_specs": input_specs, "options": options})
        target = "target" if self.compiles else None
        return SimpleNamespace(url="https://hub/compile", get_target_model=lambda: target)

    def submit_inference_job(self, model: Any, device: Any, inputs: Any = None, profile: bool = True) -> Any:
        self.asked.append({"model": model, "inputs": inputs, "profile": profile})
        return SimpleNamespace(
            url="https://hub/run",
            download_output_data=lambda: {"output": [self.output]},
            download_profile=lambda: {"execution_summary": {"estimated_inference_time": 1234}},
        )


def test_what_comes_back(release: Release, tmp_path: Path) -> None:
    job = AiHub(**PHONE, submit=False).build(release, tmp_path, tmp_path / "log").report["job"]
    output = np.zeros((1, 48, 48, 3), np.uint8)
    client, image = Client(output), gradients([1, 24, 24, 3])
    found = send(client, "phone", job, release.fixed, image)
    assert found["latency_ms"] == 1.234 and found["pages"] == ["https://hub/compile", "https://hub/run"]
    assert found["output"] is output
    assert client.asked[0]["input_specs"] == {"input": ((1, 24, 24, 3), "uint8")}
    assert client.asked[1]["inputs"]["input"][0] is image and client.asked[1]["profile"]
    with pytest.raises(ValueError, match=r"could not compile pixels_24x24.onnx for Samsung .*: https://hub/compile"):
        send(Client(output, compiles=False), "phone", job, release.fixed, image)


def test_without_the_package_it_says_what_to_do(release: Release, tmp_path: Path) -> None:
    if find_spec("qai_hub"):
        pytest.skip("qai-hub is installed here, and nothing is to be sent")
    report = AiHub(**PHONE, submit=True).build(release, tmp_path, tmp_path / "log").report
    assert "pip install qai-hub" in report["not_sent"]
