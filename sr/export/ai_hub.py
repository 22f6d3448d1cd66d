"""Qualcomm AI Hub: run the exported net on a real phone. The job is always written; a token is needed to send it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sr.export.engine import Built, Exported
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
    """Write compile, inference and profile jobs for a device of Qualcomm, and send them if asked to.

    Args:
        device: Name from AI Hub's list, such as "Samsung Galaxy S22 5G".
        target_runtime: Target to compile to: "qnn_context_binary", "qnn_dlc", "precompiled_qnn_onnx" or "tflite".
        submit: True sends the jobs and waits for them, False only writes the job file.
    """

    device: str
    target_runtime: str
    submit: bool

    @property
    def packages(self) -> tuple[str, ...]:
        """Return the name of the package that sends jobs."""
        return ("qai-hub",)

    def why_missing(self) -> str | None:
        """Return None: writing a job needs no package."""
        return None

    def check(self, scheme: Any) -> None:
        """Accept every scheme, see `Engine.check`: only the service can tell what a device supports."""

    def check_graph(self, release: Release) -> None:
        """Accept every graph, see `Engine.check_graph`."""

    def build(self, release: Release, work: Path, log: Path) -> Built:
        """Write the job with an input image, send it if asked to, and report the result or how to send it."""
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

    def runtimes(self, folder: Path, log: Path) -> dict[str, Exported]:
        """Return nothing: a device needs a job for each image."""
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
    """Compile, run and profile a model on the device, and wait for each job.

    Args:
        client: A `qai_hub.Client`.
        device: A `qai_hub.Device`.
        job: Job as `AiHub.build` writes it.
        model: ONNX file of fixed size.
        image: uint8 input of that size (1, h, w, C).

    Returns:
        `latency_ms` on the device, `pages` of the jobs, and `output`, the pixels from the device.

    Raises:
        ValueError: A job failed; the message has its page.
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
    """Return a picture of gradients (1, h, w, C) uint8 in which every value occurs.

    Args:
        shape: (1, h, w, C).

    >>> gradients([1, 2, 3, 1])[0, :, :, 0].tolist()
    [[0, 0, 0], [255, 255, 255]]
    """
    _, height, width, channels = shape
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [rows * 255 // max(1, height - 1), columns * 255 // max(1, width - 1), (rows + columns) % 256]
    return np.stack(planes[:channels], axis=-1)[None].astype(np.uint8)
