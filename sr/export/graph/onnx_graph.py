"""ONNX model with an index over its tensors, on which all rewrites work.

A rewrite is a function that takes a `Graph`, changes it in place and appends a line to `notes` for the certificate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from sr.runs.files import write_atomically

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"


class Encoding(NamedTuple):
    """Scale and zero point of a per-tensor quantizer, and its integer type."""

    scale: float
    zero_point: int
    dtype: str

    @property
    def low(self) -> float:
        """Return the smallest real value of the grid."""
        return (ml_dtypes.iinfo(self.dtype).min - self.zero_point) * self.scale

    @property
    def high(self) -> float:
        """Return the largest real value of the grid."""
        return (ml_dtypes.iinfo(self.dtype).max - self.zero_point) * self.scale

    def agrees(self, other: Encoding) -> bool:
        """Return whether both map integers to the same reals; exporters round scales, so 1e-6 (relative) is allowed.

        >>> PIXEL_GRID.agrees(Encoding(1 / 255, 0, "uint8")), PIXEL_GRID.agrees(Encoding(1 / 255, 1, "uint8"))
        (True, False)
        """
        same_grid = self.zero_point == other.zero_point and self.dtype == other.dtype
        return same_grid and abs(self.scale - other.scale) <= 1e-6 * other.scale


PIXEL_GRID = Encoding(float(np.float32(1 / 255)), 0, "uint8")  # grid of a pixel in [0, 1]: 8 bits, no offset


class Graph:
    """Model with the producer and the consumers of each tensor.

    Args:
        model: The model; it is copied.
    """

    def __init__(self, model: ModelProto) -> None:
        self.model = ModelProto()
        self.model.CopyFrom(model)
        self.notes: list[str] = []
        self.index()

    @classmethod
    def load(cls, path: Path) -> Graph:
        """Read an ONNX file."""
        return cls(onnx.load(str(path)))

    def save(self, path: Path) -> Path:
        """Check the model, write it atomically and return the path."""
        onnx.checker.check_model(self.model, full_check=True)
        write_atomically(path, self.model.SerializeToString())
        return path

    def index(self) -> None:
        """Update the index; every rewrite calls it after it adds or removes nodes."""
        graph = self.model.graph
        self.initializers: dict[str, TensorProto] = {tensor.name: tensor for tensor in graph.initializer}
        self._producer = {name: node for node in graph.node for name in node.output if name}
        self._consumers: dict[str, list[NodeProto]] = {}
        for node in graph.node:
            for name in dict.fromkeys(node.input):
                self._consumers.setdefault(name, []).append(node)

    @property
    def metadata(self) -> dict[str, str]:
        """Return the text entries of the file, such as the scale of the net."""
        return {entry.key: entry.value for entry in self.model.metadata_props}

    def describe(self, facts: Mapping[str, object]) -> None:
        """Replace the text entries of the file."""
        helper.set_model_props(self.model, {key: str(value) for key, value in facts.items()})

    @property
    def nodes(self) -> list[NodeProto]:
        """Return the nodes in an order in which they can be run."""
        return list(self.model.graph.node)

    def of_type(self, *op_types: str) -> list[NodeProto]:
        """Return the nodes with one of these op types."""
        return [node for node in self.model.graph.node if node.op_type in op_types]

    def producer(self, tensor: str) -> NodeProto | None:
        """Return the node that produces a tensor; None for graph inputs and initializers."""
        return self._producer.get(tensor)

    def consumers(self, tensor: str) -> list[NodeProto]:
        """Return the nodes that read a tensor; for the graph's outputs see `is_output`."""
        return self._consumers.get(tensor, [])

    def is_output(self, tensor: str) -> bool:
        """Return whether a tensor is an output of the graph."""
        return any(value.name == tensor for value in self.model.graph.output)

    def only_consumer(self, tensor: str) -> NodeProto | None:
        """Return the only node that reads a tensor; None if there are several or none, or if it is an output."""
        readers = self.consumers(tensor)
        return readers[0] if len(readers) == 1 and not self.is_output(tensor) else None

    def constant(self, tensor: str) -> np.ndarray | None:
        """Return the value of an initializer or Constant node, also behind a Q or DQ; None if it is no constant."""
        if tensor in self.initializers:
            return numpy_helper.to_array(self.initializers[tensor])
        node = self.producer(tensor)
        if node is None:
            return None
        if node.op_type == "Constant":
            return numpy_helper.to_array(node.attribute[0].t)
        if node.op_type == DEQUANTIZE:
            values = self.constant(node.input[0])
            axis = attribute(node, "axis", 1)
            return None if values is None else dequantized(values, *self.quantizer(node), axis=axis)
        return None

    def quantizer(self, node: NodeProto) -> tuple[np.ndarray, np.ndarray]:
        """Return scale and zero point of a Q or DQ node as stored: scalars, or one value per channel."""
        scale = numpy_helper.to_array(self.initializers[node.input[1]])
        if len(node.input) > 2 and node.input[2]:
            return scale, numpy_helper.to_array(self.initializers[node.input[2]])
        return scale, np.zeros(scale.shape, np.uint8)

    def encoding(self, node: NodeProto) -> Encoding | None:
        """Return the encoding of a per-tensor Q or DQ node; None if it is per channel."""
        scale, zero_point = self.quantizer(node)
        if scale.size != 1:
            return None
        return Encoding(float(scale.reshape(())), int(zero_point.reshape(())), str(zero_point.dtype))

    def replace_initializer(self, name: str, values: np.ndarray) -> None:
        """Replace the values of an initializer."""
        self.initializers[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), name))

    def add_initializer(self, name: str, values: np.ndarray) -> str:
        """Add an initializer, under a fresh name if this one is taken, and return its name."""
        while name in self.initializers:
            name += "_"
        self.model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        self.index()
        return name

    def rewire(self, old: str, new: str, *, besides: Iterable[NodeProto] = ()) -> None:
        """Make every reader of one tensor read another one.

        Args:
            old: Tensor that is read now.
            new: Tensor to read.
            besides: Nodes that keep reading `old`.
        """
        kept = [id(node) for node in besides]
        for node in self.model.graph.node:
            if id(node) in kept:
                continue
            for position, name in enumerate(node.input):
                if name == old:
                    node.input[position] = new
        self.index()

    def remove(self, nodes: Iterable[NodeProto]) -> None:
        """Remove nodes; `prune` later drops what is no longer read."""
        for node in nodes:
            self.model.graph.node.remove(node)
        self.index()

    def insert(self, position: int, *nodes: NodeProto) -> None:
        """Insert nodes at a position of the running order."""
        for offset, node in enumerate(nodes):
            self.model.graph.node.insert(position + offset, node)
        self.index()

    def position(self, node: NodeProto) -> int:
        """Return the node's position in the running order."""
        return next(i for i, other in enumerate(self.model.graph.node) if other is node)

    def prune(self) -> None:
        """Drop nodes whose results are not read, then initializers without a reader, then stale shapes."""
        self.index()
        while dead := [n for n in self.nodes if not any(self.consumers(o) or self.is_output(o) for o in n.output)]:
            for node in dead:
                self.model.graph.node.remove(node)
            self.index()
        for tensor in [t for t in self.model.graph.initializer if not self.consumers(t.name)]:
            self.model.graph.initializer.remove(tensor)
        del self.model.graph.value_info[:]
        self.index()


def attribute(node: NodeProto, name: str, otherwise: Any = None) -> Any:
    """Return an attribute of a node as a Python value (text as str), or `otherwise` if the node does not have it."""
    for entry in node.attribute:
        if entry.name == name:
            value = helper.get_attribute_value(entry)
            return value.decode() if isinstance(value, bytes) else value
    return otherwise


def set_attribute(node: NodeProto, name: str, value: Any) -> None:
    """Set an attribute of a node."""
    for entry in list(node.attribute):
        if entry.name == name:
            node.attribute.remove(entry)
    node.attribute.append(helper.make_attribute(name, value))


def dequantized(values: np.ndarray, scale: np.ndarray, zero_point: np.ndarray, *, axis: int) -> np.ndarray:
    """Return the reals behind integers: (values - zero_point) * scale, per tensor or along an axis.

    Args:
        values: Integers.
        scale: Scale, a scalar or one value per entry of `axis`.
        zero_point: Zero point, of the same shape.
        axis: Axis of the scales.

    >>> dequantized(np.array([[0, 255]], np.uint8), np.float32(0.5), np.uint8(1), axis=0).tolist()
    [[-0.5, 127.0]]
    """
    if scale.ndim == 1:
        shape = [-1 if i == axis % values.ndim else 1 for i in range(values.ndim)]
        scale, zero_point = scale.reshape(shape), zero_point.reshape(shape)
    return ((values.astype(np.int64) - zero_point.astype(np.int64)) * scale).astype(np.float32)
