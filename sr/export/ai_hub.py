"""Qualcomm AI Hub: the exported net on a real phone. The job is written in any case; a token sends it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sr.evaluation import Upscaler
from sr.export.engine import Built
from sr.export.graph.onnx_graph import Graph
from sr.export.release import Release
from sr.export.runtime import on_cpu
from sr.runs.files import write_json

_JOB_FILE = "ai_hub/job.json"
_INPUT_FILE = "ai_hub/input.npy"
_INSTALL = "pip install qai-hub, best in an environment of its own: it wants older versions of protobuf and others"
_TOKEN = "qai-hub configure --api_token TOKEN, the token from https://app.aihub.qualcomm.com under Settings"
_MICROSECONDS = 1000.0


@dataclass(frozen=True, kw_only=True)
class AiHub:
    """The engine: compile, inference and profile jobs for a device that Qualcomm keeps.

    Args:
        device: a name of AI Hub's list, such as "Samsung Galaxy S22 5G".
        target_runtime: what to compile to: "qnn_context_binary", "qnn_dlc", "precompiled_qnn_onnx" or "tflite".
        submit: whether to send the jobs and wait for them; else only the job file is written.
    """

    device: str
    target_runtime: str
    submit: bool

    @property
    def package(self) -> str:
        """Name of the package that sends jobs."""
        return "qai-hub"

    def why_missing(self) -> str | None:
        """Writing a job needs nothing."""
        return None

    def check(self, scheme: Any) -> None:
        """See `Engine.check`: whether a device takes it, the service says."""

    def build(self, release: Release, work: Path, log: Path) -> Built:
        """Write the job with an input image, send it if asked to, and report what to do or what came back."""
        entry = Graph.load(release.fixed).model.graph.input[0]
        shape = [dim.dim_value for dim in entry.type.tensor_type.shape.dim]
        image = gradients(shape)
        (work / _INPUT_FILE).parent.mkdir(parents=True, exist_ok=True)
        np.save(work / _INPUT_FILE, image)
        job = {
            "model": release.fixed.name,
            "device": self.device,
            "input_specs": {entry.name: [shape, "uint8"]},
            "options": f"--target_runtime {self.target_runtime}",
            "inputs": {entry.name: _INPUT_FILE},
        }
        write_json(work / _JOB_FILE, job)
        return Built([], {"job": job, "file": _JOB_FILE, **self._outcome(job, release, image)})

    def upscalers(self, folder: Path, log: Path) -> dict[str, Upscaler]:
        """None: a device takes a job for each image."""
        return {}

    def _outcome(self, job: dict[str, Any], release: Release, image: np.ndarray) -> dict[str, Any]:
        if not self.submit:
            steps = f"{_INSTALL}; {_TOKEN}; then add export.engines.ai_hub.submit=true"
            return {"not_sent": f"the job is in {_JOB_FILE}; to send it: {steps}"}
        try:
            import qai_hub
        except ImportError as error:
            return {"not_sent": f"qai-hub cannot be imported ({error}): {_INSTALL}"}
        try:
            client = qai_hub.Client()
            found = send(client, qai_hub.Device(self.device), job, release.fixed, image)
        except (qai_hub.UserError, qai_hub.InternalError, OSError) as error:
            return {"not_sent": f"AI Hub did not take the job ({error}); a token is set by {_TOKEN}"}
        wanted = on_cpu(Graph.load(release.fixed), optimized=True).session(*image.shape[1:3])
        ours = wanted.run(None, {next(iter(job["inputs"])): image})[0].astype(np.int16)
        theirs = found.pop("output").reshape(ours.shape)
        difference = np.abs(ours - theirs)
        found |= {"largest_lsb": int(difference.max()), "differing_share": float((difference > 0).mean())}
        return found


def send(client: Any, device: Any, job: dict[str, Any], model: Path, image: np.ndarray) -> dict[str, Any]:
    """Compile, run and profile on the device, waiting for each.

    Args:
        client: `qai_hub.Client`.
        device: `qai_hub.Device`.
        job: as written by `AiHub.build`.
        model: ONNX file of fixed size.
        image: uint8 input of that size.

    Returns:
        `latency_ms` on the device, the pages of the jobs, and `output`, the pixels that it gave.

    Raises:
        ValueError: a job failed; with its page.
    """
    ((name, (shape, dtype)),) = job["input_specs"].items()
    specs = {name: (tuple(shape), dtype)}
    compiled = client.submit_compile_job(str(model), device=device, input_specs=specs, options=job["options"])
    target = compiled.get_target_model()
    if target is None:
        raise ValueError(f"AI Hub could not compile {model.name} for {job['device']}: {compiled.url}")
    ran = client.submit_inference_job(target, device=device, inputs={name: [image]}, profile=True)
    outputs, profile = ran.download_output_data(), ran.download_profile()
    if not outputs or not profile:
        raise ValueError(f"AI Hub could not run {model.name} on {job['device']}: {ran.url}")
    microseconds = profile["execution_summary"]["estimated_inference_time"]
    return {
        "latency_ms": microseconds / _MICROSECONDS,
        "pages": [compiled.url, ran.url],
        "output": np.asarray(next(iter(outputs.values()))[0]),
    }


def gradients(shape: list[int]) -> np.ndarray:
    """A picture of slopes, (1, h, w, C) uint8: every value occurs, none of it is anybody's photograph."""
    _, height, width, channels = shape
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [rows * 255 // max(1, height - 1), columns * 255 // max(1, width - 1), (rows + columns) % 256]
    return np.stack(planes[:channels], axis=-1)[None].astype(np.uint8)
