"""State of a conversion to LiteRT: which LiteRT tensor stands for which ONNX tensor."""

from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
from onnx import NodeProto, numpy_helper, shape_inference

from sr.export.graph.clips import bounds, covers
from sr.export.graph.onnx_graph import DEQUANTIZE, PIXEL_GRID, QUANTIZE, Encoding, Graph
from sr.export.litert.flatbuffer import ModelFile

_PASSING = ("Relu", "Clip", "DepthToSpace", "SpaceToDepth", "MaxPool")  # they keep the grid of their input


class Value(NamedTuple):
    """Number of a tensor in the model file, and its grid; None if it holds real numbers."""

    number: int
    grid: Encoding | None


class LiteRtBuilder:
    """A LiteRT model under construction, with the ONNX graph that it is made from.

    Attributes:
        graph: The ONNX graph.
        file: The LiteRT model.
        values: ONNX tensor name -> LiteRT tensor.
        notes: Lines for the certificate.
        half: True if weights are stored in fp16.
        quantized: True if convolutions compute in integers.
        portable: True if operators that delegates refuse are avoided.

    Args:
        graph: ONNX graph with a fixed size.
        description: Text that is kept in the file.
        portable: Whether to avoid operators that delegates refuse.
    """

    def __init__(self, graph: Graph, description: str, portable: bool) -> None:
        self.graph, self.portable = graph, portable
        self.file = ModelFile(description)
        self.notes: list[str] = []
        self.half = graph.metadata.get("scheme") == "fp16"
        self.quantized = any(self._is_integer(node) for node in graph.of_type("Conv"))
        inferred = shape_inference.infer_shapes(graph.model, strict_mode=True, data_prop=True).graph
        known = [*inferred.value_info, *inferred.input, *inferred.output]
        self.shapes = {each.name: [dim.dim_value for dim in each.type.tensor_type.shape.dim] for each in known}
        entry = graph.model.graph.input[0].name
        shape = tuple(self.shapes[entry])
        self.entry = self.file.tensor("input", shape, "uint8", scale=PIXEL_GRID.scale, zero_point=0)
        self.values = {entry: Value(self.entry, PIXEL_GRID)}
        if self.quantized:
            signed = self.activation("input_signed", shape, PIXEL_GRID)
            self.file.operator("QUANTIZE", [self.entry], signed.number, "QuantizeOptions")
            self.values[entry] = signed

    def refusal(self, node: NodeProto, reason: str) -> ValueError:
        """Return the error that names a node."""
        return ValueError(f"LiteRT cannot take {node.op_type} {node.name}: {reason}. Leave the engine litert out")

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the NHWC shape of an ONNX tensor of planes."""
        count, channels, height, width = self.shapes[name]
        return count, height, width, channels

    def activation(self, name: str, shape: tuple[int, ...], grid: Encoding | None) -> Value:
        """Add a tensor for the output of an operator.

        Args:
            name: ONNX name.
            shape: NHWC shape.
            grid: Its grid; None for floats.

        Raises:
            ValueError: The grid does not have 8 bits.
        """
        if grid is None:
            return Value(self.file.tensor(name, shape, "float32"), None)
        limits = ml_dtypes.iinfo(grid.dtype)
        if limits.bits != 8:
            raise ValueError(
                f"LiteRT cannot take {limits.bits} bits with an offset in {name}: its 16-bit activations are "
                "symmetric. Use a scheme with activation_bits=8, or leave the engine litert out"
            )
        zero_point = grid.zero_point - (128 if limits.min == 0 else 0)
        return Value(self.file.tensor(name, shape, "int8", scale=grid.scale, zero_point=zero_point), grid)

    def result(self, node: NodeProto) -> Value:
        """Add the output tensor of a computing node, on the grid of the quantizer behind it.

        Raises:
            ValueError: A quantized graph has no quantizer there.
        """
        name = node.output[0]
        grid = self.grid(name) if self.quantized else None
        if self.quantized and grid is None:
            raise self.refusal(node, "nothing quantizes what it gives, and LiteRT has no wider integers in between")
        return self.activation(name, self.shape(name), grid)

    def grid(self, name: str) -> Encoding | None:
        """Return the encoding of a tensor, possibly behind operators that do not change it."""
        readers = self.graph.consumers(name)
        for node in readers:
            if node.op_type == QUANTIZE:
                return self.graph.encoding(node)
        if len(readers) == 1 and readers[0].op_type in _PASSING:
            return self.grid(readers[0].output[0])
        return None

    def requantized(self, value: Value, name: str, shape: tuple[int, ...], grid: Encoding) -> Value:
        """Return a value on another grid; the value itself if it is on that grid."""
        if value.grid is not None and value.grid.agrees(grid):
            return value
        other = self.activation(name, shape, grid)
        self.file.operator("QUANTIZE", [value.number], other.number, "QuantizeOptions")
        return other

    def clipped(self, node: NodeProto) -> Value | None:
        """Return the output of a Relu or Clip in a quantized graph, whose quantizer saturates at its bounds."""
        if not self.quantized:
            return None
        name = node.output[0]
        grid = self.grid(name)
        if grid is None or not covers(bounds(self.graph, node), grid):
            raise self.refusal(node, "the quantizer behind it reaches beyond its bounds")
        return self.requantized(self.values[node.input[0]], name, self.shape(name), grid)

    def constant(self, name: str, order: tuple[int, ...]) -> tuple[np.ndarray, Any]:
        """Return a constant with its axes in another order: integers and their scales, or floats and None."""
        maker = self.graph.producer(name)
        if maker is None or maker.op_type != DEQUANTIZE:
            values = self.graph.constant(name)
            assert values is not None, f"{name} is no constant"
            return values.transpose(order).astype(np.float32), None
        stored = numpy_helper.to_array(self.graph.initializers[maker.input[0]])
        return stored.transpose(order), self.graph.quantizer(maker)[0]

    def _is_integer(self, node: NodeProto) -> bool:
        maker = self.graph.producer(node.input[1])
        return maker is not None and maker.op_type == DEQUANTIZE
