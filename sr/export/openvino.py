"""OpenVINO: run the exported ONNX file on Intel and ARM processors, the fastest way on a computer's CPU."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from sr.export.certificate.proof import Bounded, Form
from sr.export.engine import Built, CpuEngine, Exported, from_pixels, kind, to_pixels
from sr.export.graph.onnx_graph import Graph
from sr.export.release import Release
from sr.export.runtime import upscaler_of

_INSTALL = "pip install 'sr-mobile[openvino]'"
_MODEL_FILE = "pixels.onnx"  # OpenVINO reads this file directly


@dataclass(frozen=True, kw_only=True)
class OpenVino(CpuEngine):
    """Run pixels.onnx with OpenVINO, compiled for this machine's CPU."""

    @property
    def packages(self) -> tuple[str, ...]:
        """Return the names of the packages that are needed."""
        return ("openvino",)

    def why_missing(self) -> str | None:
        """Return the reason why OpenVINO cannot run here, see `Engine.why_missing`."""
        try:
            importlib.import_module("openvino")
        except ImportError as error:
            return f"openvino cannot be imported ({error}): {_INSTALL}"
        return None

    def check(self, scheme: Any) -> None:
        """Refuse 16-bit activations, see `Engine.check`: OpenVINO drops their quantizers and so does not clip."""
        if not scheme.is_float and scheme.activation_bits != 8:
            raise ValueError(
                f"OpenVINO cannot take the {scheme.activation_bits}-bit activations of scheme {scheme.name}: it drops "
                "their quantizers and so does not clip. Use a scheme with activation_bits=8, or leave the engine "
                "openvino out"
            )

    def build(self, release: Release, work: Path, log: Path) -> Built:
        """Return the form without writing a file, see `Engine.build`."""
        run = Compiled(work / _MODEL_FILE, self.num_threads)
        form = Form("openvino", f"OpenVINO {kind(release)}", run, _MODEL_FILE)
        return Built([Bounded(form, self.max_db)], {"latency": self.timed(release, run.pixels)})

    def runtimes(self, folder: Path, log: Path) -> dict[str, Exported]:
        """Return the runtime, see `Engine.runtimes`."""
        path = folder / _MODEL_FILE
        return {
            "openvino": Exported([path], lambda: upscaler_of(Graph.load(path), Compiled(path, self.num_threads))),
        }


class Compiled:
    """ONNX file as a function on tensors, compiled once for images of any size.

    Args:
        path: The file, uint8 NHWC in and out; a fixed size in it is freed.
        num_threads: Threads of the engine.
    """

    def __init__(self, path: Path, num_threads: int) -> None:
        import openvino

        core = openvino.Core()
        settings = {
            "INFERENCE_NUM_THREADS": num_threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",  # otherwise processors with bf16 compute floats in bf16
        }
        model = core.read_model(path.read_bytes())
        model.reshape([1, -1, -1, model.inputs[0].partial_shape[3].get_length()])
        self._compiled = core.compile_model(model, "CPU", settings)

    def __call__(self, lr: Tensor) -> Tensor:
        """Run lr (1, C, h, w) in [0, 1] to sr (1, C, H, W)."""
        return from_pixels(self.pixels(to_pixels(lr)))

    def pixels(self, image: np.ndarray) -> np.ndarray:
        """Run uint8 (1, h, w, C) to uint8 (1, H, W, C)."""
        return self._compiled([image])[0]
