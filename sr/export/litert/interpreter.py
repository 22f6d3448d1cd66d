"""LiteRT (formerly TensorFlow Lite): the exported net as a .tflite file, run by Google's interpreter."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from sr.evaluation import Upscaler
from sr.export.certificate.proof import Bounded, Form
from sr.export.engine import Built, CpuEngine, Exported, fixed_size, from_pixels, kind, to_pixels
from sr.export.graph.onnx_graph import Graph
from sr.export.kit_model import KIT, KitModel
from sr.export.litert.lowering import lower
from sr.export.release import Release
from sr.export.runtime import upscaler_of
from sr.runs.silence_logs import native_output_to

_INSTALL = "pip install 'sr-mobile[litert]'"
_FOLDER = "litert"


@dataclass(frozen=True, kw_only=True)
class LiteRt(CpuEngine):
    """Write a .tflite file with the ranges of the simulation and uint8 pixels in and out; float for a float net.

    Args:
        portable: Whether to avoid operators that delegates refuse, see `lower`; float nets only.
    """

    portable: bool

    @property
    def packages(self) -> tuple[str, ...]:
        """Return the names of the packages that are needed."""
        return ("ai-edge-litert",)

    def why_missing(self) -> str | None:
        """Return the reason why LiteRT cannot run here, see `Engine.why_missing`."""
        try:
            for module in ("interpreter", "schema_py_generated"):
                importlib.import_module(f"ai_edge_litert.{module}")
        except ImportError as error:
            return f"ai-edge-litert, which writes and runs .tflite files, cannot be imported ({error}): {_INSTALL}"
        return None

    def check(self, scheme: Any) -> None:
        """Refuse 16-bit weights and 16-bit activations with an offset, and integers if portable; see `Engine.check`."""
        if self.portable and not scheme.is_float:
            raise ValueError(
                f"export.engines.litert.portable=true is exact for float nets only, got scheme {scheme.name}: two "
                "ReLUs in place of PReLU would be rounded twice. Leave portable out, or take quantization=fp16"
            )
        if not scheme.is_float and scheme.activation_bits != 8:
            raise ValueError(
                f"LiteRT cannot take the {scheme.activation_bits} bits with an offset of scheme {scheme.name}: its "
                "16-bit activations are symmetric. Use a scheme with activation_bits=8, or leave the engine litert out"
            )
        if not scheme.is_float and scheme.weight_bits > 8:
            raise ValueError(
                f"LiteRT cannot take the weights of {scheme.weight_bits} bits of scheme {scheme.name}: it has those of "
                "8. Use a scheme with weight_bits=8, or leave the engine litert out"
            )

    def check_graph(self, release: Release) -> None:
        """Refuse operators that LiteRT does not have, see `Engine.check_graph`."""
        lower(release.pixels, fixed_size(release)[:2], "", portable=self.portable)

    def build(self, release: Release, work: Path, log: Path) -> Built:
        """Write litert/pixels_HxW.tflite and return its form, see `Engine.build`."""
        facts = " ".join(f"{key}={value}" for key, value in release.pixels.metadata.items())
        model, entry, result, notes = lower(release.pixels, fixed_size(release)[:2], facts, portable=self.portable)
        path = work / _FOLDER / f"{release.fixed.stem}.tflite"
        model.save(path, entry, result)
        run = Interpreter(path, self.num_threads, log)
        size = round(path.stat().st_size / 1024, 1)
        report = {"size_kib": size, "notes": notes, "latency": self.timed(release, run.pixels)}
        form = Form(_FOLDER, f"LiteRT {kind(release)}", run, f"{_FOLDER}/{path.name}")
        crop = release.proof_size
        small = work / KIT / "models" / "pixels_{}x{}.tflite".format(*crop)
        other, entry, result, _ = lower(release.pixels, crop, facts, portable=self.portable)
        other.save(small, entry, result)
        sizes = {crop: small, fixed_size(release)[:2]: path}
        models = [KitModel(_FOLDER, _FOLDER, size, [file], {}) for size, file in sizes.items()]
        return Built([Bounded(form, self.max_db)], report, models)

    def runtimes(self, folder: Path, log: Path) -> dict[str, Exported]:
        """Return the runtime, see `Engine.runtimes`."""
        (path,) = (folder / _FOLDER).glob("*.tflite")
        facts = folder / "pixels.onnx"

        def opened() -> Upscaler:
            return upscaler_of(Graph.load(facts), Interpreter(path, self.num_threads, log))

        return {_FOLDER: Exported([path, facts], opened)}


class Interpreter:
    """.tflite file as a function on tensors; it is resized if an image has another size than the previous one.

    Args:
        path: The file, uint8 NHWC in and out.
        num_threads: Threads of the interpreter.
        log: File to which the output of native code is appended.

    Raises:
        ValueError: LiteRT does not accept the file.
    """

    def __init__(self, path: Path, num_threads: int, log: Path) -> None:
        from ai_edge_litert import interpreter

        self._log = log
        with native_output_to(log):
            try:
                self._interpreter = interpreter.Interpreter(model_path=str(path), num_threads=num_threads)
            except (ValueError, RuntimeError) as error:
                raise ValueError(f"LiteRT does not take {path.name}: {error}") from error
        self._entry: int = self._interpreter.get_input_details()[0]["index"]
        self._result: int = self._interpreter.get_output_details()[0]["index"]
        self._shape: tuple[int, ...] = ()

    def __call__(self, lr: Tensor) -> Tensor:
        """Run lr (1, C, h, w) in [0, 1] to sr (1, C, H, W)."""
        return from_pixels(self.pixels(to_pixels(lr)))

    def pixels(self, image: np.ndarray) -> np.ndarray:
        """Run uint8 (1, h, w, C) to uint8 (1, H, W, C)."""
        if image.shape != self._shape:
            with native_output_to(self._log):
                self._interpreter.resize_tensor_input(self._entry, image.shape, strict=False)
                self._interpreter.allocate_tensors()
            self._shape = image.shape
        self._interpreter.set_tensor(self._entry, image)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._result)
