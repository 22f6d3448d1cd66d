"""Exported graphs with uint8 pixels as functions, on ONNX Runtime, OpenVINO or LiteRT."""

import importlib.util
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from sr.export.graph.onnx_graph import Graph
from sr.export.graph.shape import fix_shape
from sr.export.runtime import on_cpu

Pixels = Callable[[np.ndarray], np.ndarray]
"""uint8 (1, h, w, C) -> uint8 (1, H, W, C)."""

_MODULES = {"onnxruntime": "onnxruntime", "openvino": "openvino", "litert": "ai_edge_litert"}
_LITERT_SIDE_PX = 64  # the interpreter resizes the graph to each image


@dataclass(frozen=True, kw_only=True)
class Runner:
    """An exported net on a runtime.

    Args:
        run: lr (1, C, h, w) in [0, 1] -> sr (1, C, H, W) in [0, 1].
        pixels: the same on bytes.
        files: keeps temporary files alive.
    """

    run: Callable[[Tensor], Tensor]
    pixels: Pixels
    files: Any = None


def is_installed(runtime: str) -> bool:
    """Return whether the package of a runtime is there."""
    return importlib.util.find_spec(_MODULES[runtime]) is not None


def open_runner(graph: Graph, runtime: str, num_threads: int) -> Runner:
    """Open a graph on a runtime.

    Args:
        graph: uint8 NHWC in and out, of free size.
        runtime: "onnxruntime", "openvino" or "litert".
        num_threads: of the runtime; ONNX Runtime takes all cores.

    Raises:
        ValueError: the runtime is not installed, or does not support the graph.
    """
    if not is_installed(runtime):
        raise ValueError(f"{runtime} is not installed: pip install 'sr-mobile[{runtime}]'")
    return {"onnxruntime": _on_onnxruntime, "openvino": _on_openvino, "litert": _on_litert}[runtime](graph, num_threads)


def _on_onnxruntime(graph: Graph, num_threads: int) -> Runner:
    run, name = on_cpu(graph, optimized=True), graph.model.graph.input[0].name
    return Runner(run=run, pixels=lambda image: run.session(*image.shape[1:3]).run(None, {name: image})[0])


def _on_openvino(graph: Graph, num_threads: int) -> Runner:
    from sr.export.openvino import Compiled

    with tempfile.TemporaryDirectory() as folder:
        compiled = Compiled(graph.save(Path(folder) / "net.onnx"), num_threads)
    return Runner(run=compiled, pixels=compiled.pixels)


def _on_litert(graph: Graph, num_threads: int) -> Runner:
    from sr.export.litert.interpreter import Interpreter
    from sr.export.litert.lowering import lower

    files = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    path, side = Path(files.name) / "net.tflite", _LITERT_SIDE_PX * int(graph.metadata["size_multiple"])
    fixed = Graph(graph.model)
    fix_shape(fixed, side, side)
    model, entry, result, _ = lower(fixed, (side, side), "")
    model.save(path, entry, result)
    interpreter = Interpreter(path, num_threads, Path(os.devnull))
    return Runner(run=interpreter, pixels=interpreter.pixels, files=files)


def open_tflite(path: Path, num_threads: int) -> tuple[Runner, dict[str, str]]:
    """Open a .tflite file of this project.

    Returns:
        The net, and the facts of its description: scale, color, size_multiple, scheme.

    Raises:
        ValueError: LiteRT is not installed, or the file is missing, damaged, or from elsewhere.
    """
    if not path.is_file():
        raise ValueError(f"no file {path}; give a .tflite file that this project exported")
    if not is_installed("litert"):
        raise ValueError("litert is not installed: pip install 'sr-mobile[litert]'")
    from ai_edge_litert import schema_py_generated as schema

    from sr.export.litert.interpreter import Interpreter

    interpreter = Interpreter(path, num_threads, Path(os.devnull))
    description = schema.Model.GetRootAs(path.read_bytes(), 0).Description() or b""
    facts = dict(word.split("=", 1) for word in description.decode("utf-8", "replace").split() if "=" in word)
    if missing := {"scale", "color", "size_multiple", "scheme"} - facts.keys():
        raise ValueError(f"{path} was not exported by this project: it does not say its {', '.join(sorted(missing))}")
    return Runner(run=interpreter, pixels=interpreter.pixels), facts
