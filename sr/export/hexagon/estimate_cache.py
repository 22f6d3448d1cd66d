"""Cache of the compiler's estimates, by the structure of the graph: the estimate does not depend on the weights."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path
from typing import Any

from onnx import ModelProto

from sr.export.graph.onnx_graph import Graph
from sr.export.hexagon.chips import Chip
from sr.export.hexagon.htp import estimate
from sr.runs.files import read_json, write_json

COMPILER_PACKAGE = "onnxruntime-qnn"
_READERS_OF_WEIGHTS = ("Conv", "ConvTranspose", "DequantizeLinear", "Gemm", "MatMul", "PRelu", "QuantizeLinear")
_TEXTS = ("metadata_props", "doc_string", "producer_name", "producer_version")


def cached_estimate(model: Path, chip: Chip, log: Path, *, folder: Path) -> dict[str, Any]:
    """Return `htp.estimate`, from the folder if a graph of the same structure was estimated there.

    Args:
        model: ONNX file of fixed size.
        chip: A chip with `estimates`.
        log: File for the compiler's output.
        folder: Folder of the cache, with one JSON file for each graph, chip and version of the compiler.
    """
    key = [structure_hash(Graph.load(model)), chip.name, metadata.version(COMPILER_PACKAGE)]
    path = folder / f"{hashlib.sha256(' '.join(key).encode()).hexdigest()[:32]}.json"
    if path.is_file():
        return read_json(path)
    found = estimate(model, chip, log)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, found)
    return found


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
