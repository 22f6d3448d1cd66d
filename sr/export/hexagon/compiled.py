"""What the compiler gives for a file and a chip, made once: estimates by the structure of the graph, and contexts."""

import hashlib
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from onnx import ModelProto

from sr.export.graph.onnx_graph import Graph
from sr.export.hexagon.chips import Chip
from sr.export.hexagon.htp import compile_context, estimate
from sr.runs.files import sha256
from sr.runs.parts import Parts

COMPILER_PACKAGE = "onnxruntime-qnn"
_READERS_OF_WEIGHTS = ("Conv", "ConvTranspose", "DequantizeLinear", "Gemm", "MatMul", "PRelu", "QuantizeLinear")
_TEXTS = ("metadata_props", "doc_string", "producer_name", "producer_version")


def cached_estimate(model: Path, chip: Chip, log: Path, *, parts: Parts) -> dict[str, Any]:
    """Return `htp.estimate`, which does not depend on the weights: of a graph of the same structure it is taken.

    Args:
        model: ONNX file of fixed size.
        chip: A chip with `estimates`.
        log: File for the compiler's output.
        parts: Estimates that were made before.
    """
    inputs = {"structure": structure_hash(Graph.load(model)), **_compiler(chip)}
    return parts.take("estimate", inputs, lambda: estimate(model, chip, log))


def cached_context(model: Path, chip: Chip, folder: Path, log: Path, *, parts: Parts) -> dict[str, Any]:
    """Return `htp.compile_context`; the files of a context that was compiled before are brought into the folder.

    Args:
        model: ONNX file of fixed size.
        chip: Chip to compile for.
        folder: Folder for the files.
        log: File for the compiler's output.
        parts: Contexts that were compiled before.
    """
    inputs = {"model": sha256(model), "name": model.name, **_compiler(chip)}
    return parts.take("context", inputs, lambda: compile_context(model, chip, folder, log), folder)


def compiler_versions(compiled: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the versions of the package and of the QAIRT compiler in it, as the compiled files state them.

    Args:
        compiled: Facts of `htp.compile_context`.

    >>> compiler_versions([{"compiled_with": "v2:6:2.51.0:5.51.0:69:36:0:0"}])["qairt"]
    '2.51.0'
    """
    stated = [str(each["compiled_with"]).split(":") for each in compiled]
    qairt = next((parts[2] for parts in stated if len(parts) > 2), "")
    return {"package": f"{COMPILER_PACKAGE} {metadata.version(COMPILER_PACKAGE)}", "qairt": qairt}


def _compiler(chip: Chip) -> dict[str, str]:
    return {"chip": chip.name, "compiler": metadata.version(COMPILER_PACKAGE)}


def structure_hash(graph: Graph) -> str:
    """Return a hash of nodes, attributes, shapes and types, without the values of weights and quantizers."""
    model = ModelProto()
    model.CopyFrom(graph.model)
    for name in _TEXTS:
        model.ClearField(name)
    for tensor in model.graph.initializer:
        if all(node.op_type in _READERS_OF_WEIGHTS for node in graph.consumers(tensor.name)):
            for name in ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data"):
                tensor.ClearField(name)
    return hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()
