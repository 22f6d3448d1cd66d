"""From an exported ONNX graph to a LiteRT model: the same integers and the same grids, nothing calibrated again.

LiteRT's own converters look for ranges anew, order depth-to-space by transposes and keep clips in float; what has been
proven is on its grids already. ONNX's planes become NHWC, unsigned activations signed ones (zero point less 128),
depth-to-space in DCR order one operator.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import ml_dtypes
import numpy as np
from onnx import NodeProto, numpy_helper, shape_inference

from sr.export.graph.clips import bounds, covers
from sr.export.graph.onnx_graph import DEQUANTIZE, PIXELS, QUANTIZE, Encoding, Graph, attribute
from sr.export.graph.shape import fix_shape
from sr.export.litert.flatbuffer import ModelFile

LAYOUTS = ([0, 3, 1, 2], [0, 2, 3, 1])  # planes from pixels and back: here everything is pixels
PASSING = ("Relu", "Clip", "DepthToSpace", "SpaceToDepth", "MaxPool")  # they leave values on the grid behind them


class Value(NamedTuple):
    """A tensor of the model that is being written, and its grid; None when it holds real numbers."""

    number: int
    grid: Encoding | None


def lower(graph: Graph, lr_size: tuple[int, int], description: str) -> tuple[ModelFile, int, int, list[str]]:
    """Write a graph with uint8 NHWC input and output as a LiteRT model.

    Args:
        graph: the `pixels` graph of a release.
        lr_size: height and width that the file is for; the runtime can resize it.
        description: kept in the file.

    Returns:
        The model, the numbers of its input and output, and notes for the certificate.

    Raises:
        ValueError: an operator, or a number of bits, that LiteRT does not take, named with its layer.
    """
    fixed = Graph(graph.model)
    fix_shape(fixed, *lr_size)
    lowering = Lowering(fixed, description)
    for node in fixed.nodes:
        lowering.take(node)
    return (*lowering.finish(), lowering.notes)


class Lowering:
    """The state of a conversion: which LiteRT tensor stands for which ONNX tensor.

    Args:
        graph: with a fixed size.
        description: kept in the file.
    """

    def __init__(self, graph: Graph, description: str) -> None:
        self.graph = graph
        self.file = ModelFile(description)
        self.notes: list[str] = []
        self.half = graph.metadata.get("scheme") == "fp16"
        self.quantized = any(self._is_integer(node) for node in graph.of_type("Conv"))
        inferred = shape_inference.infer_shapes(graph.model, strict_mode=True, data_prop=True).graph
        known = [*inferred.value_info, *inferred.input, *inferred.output]
        self.shapes = {each.name: [dim.dim_value for dim in each.type.tensor_type.shape.dim] for each in known}
        entry = graph.model.graph.input[0].name
        shape = tuple(self.shapes[entry])
        self._entry = self.file.tensor("input", shape, "uint8", scale=PIXELS.scale, zero_point=0)
        self.values = {entry: Value(self._entry, PIXELS)}
        if self.quantized:
            signed = self.activation("input_signed", shape, PIXELS)
            self.file.operator("QUANTIZE", [self._entry], signed.number, "QuantizeOptions")
            self.values[entry] = signed

    def take(self, node: NodeProto) -> None:
        """Convert one node.

        Raises:
            ValueError: LiteRT has no such operator, or not with these settings.
        """
        from sr.export.litert.operators import CONVERTERS

        if node.op_type in (DEQUANTIZE, QUANTIZE):
            self._change_grid(node)
        elif node.op_type == "Transpose":
            if attribute(node, "perm") not in LAYOUTS:
                raise self.refusal(node, "it reorders axes in another way than planes and pixels do")
            self.values[node.output[0]] = self.values[node.input[0]]
        elif node.op_type in CONVERTERS:
            self.values[node.output[0]] = CONVERTERS[node.op_type](self, node)
        elif node.op_type != "Constant":
            known = ", ".join(sorted(CONVERTERS))
            raise self.refusal(node, f"there is no counterpart among {known}")

    def finish(self) -> tuple[ModelFile, int, int]:
        """The model with the numbers of its input and output."""
        result = self.values[self.graph.model.graph.output[0].name]
        if not self.quantized:
            return self.file, self._entry, result.number
        shape = tuple(self.shapes[self.graph.model.graph.output[0].name])
        output = self.file.tensor("output", shape, "uint8", scale=PIXELS.scale, zero_point=0)
        self.file.operator("QUANTIZE", [result.number], output, "QuantizeOptions")
        return self.file, self._entry, output

    def refusal(self, node: NodeProto, reason: str) -> ValueError:
        """The error that names a node."""
        return ValueError(f"LiteRT cannot take {node.op_type} {node.name}: {reason}. Leave the engine litert out")

    def shape(self, name: str) -> tuple[int, ...]:
        """NHWC shape of an ONNX tensor of planes."""
        count, channels, height, width = self.shapes[name]
        return count, height, width, channels

    def activation(self, name: str, shape: tuple[int, ...], grid: Encoding | None) -> Value:
        """Add a tensor for what an operator gives."""
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
        """Add the tensor that a computing node gives, on the grid of the quantizer behind it.

        Raises:
            ValueError: a quantized graph has no quantizer there.
        """
        name = node.output[0]
        grid = self.grid(name) if self.quantized else None
        if self.quantized and grid is None:
            raise self.refusal(node, "nothing quantizes what it gives, and LiteRT has no wider integers in between")
        return self.activation(name, self.shape(name), grid)

    def grid(self, name: str) -> Encoding | None:
        """The encoding that a tensor gets, perhaps behind operators that leave it as it is."""
        readers = self.graph.consumers(name)
        for node in readers:
            if node.op_type == QUANTIZE:
                return self.graph.encoding(node)
        if len(readers) == 1 and readers[0].op_type in PASSING:
            return self.grid(readers[0].output[0])
        return None

    def requantized(self, value: Value, name: str, shape: tuple[int, ...], grid: Encoding) -> Value:
        """The value on another grid; itself where that is its own."""
        if value.grid is not None and value.grid.agrees(grid):
            return value
        other = self.activation(name, shape, grid)
        self.file.operator("QUANTIZE", [value.number], other.number, "QuantizeOptions")
        return other

    def clipped(self, node: NodeProto) -> Value | None:
        """What a Relu or Clip gives in a quantized graph, where the quantizer behind it saturates at its bounds."""
        if not self.quantized:
            return None
        name = node.output[0]
        grid = self.grid(name)
        if grid is None or not covers(bounds(self.graph, node), grid):
            raise self.refusal(node, "the quantizer behind it reaches beyond its bounds")
        return self.requantized(self.values[node.input[0]], name, self.shape(name), grid)

    def constant(self, name: str, order: tuple[int, ...]) -> tuple[np.ndarray, Any]:
        """A constant with its axes in another order: integers and their scales, or floats and None."""
        maker = self.graph.producer(name)
        if maker is None or maker.op_type != DEQUANTIZE:
            values = self.graph.constant(name)
            assert values is not None, f"{name} is no constant"
            return values.transpose(order).astype(np.float32), None
        stored = numpy_helper.to_array(self.graph.initializers[maker.input[0]])
        return stored.transpose(order), self.graph.quantizer(maker)[0]

    def _change_grid(self, node: NodeProto) -> None:
        source, name = node.input[0], node.output[0]
        if source not in self.values:
            return  # of a constant: whoever reads it takes it
        value, grid = self.values[source], self.graph.encoding(node)
        if self.quantized:
            assert grid is not None, f"{node.name} has a scale for each channel of an activation"
            shape = self.shapes[name] if self._is_pixels(name) else self.shape(name)
            self.values[name] = self.requantized(value, name, tuple(shape), grid)
        elif node.op_type == DEQUANTIZE:
            made = self.activation(name, self.shape(name), None)
            self.file.operator("DEQUANTIZE", [value.number], made.number, "DequantizeOptions")
            self.values[name] = made
        else:
            made = Value(
                self.file.tensor("output", self.shape(name), "uint8", scale=PIXELS.scale, zero_point=0), PIXELS
            )
            self.file.operator("QUANTIZE", [value.number], made.number, "QuantizeOptions")
            self.values[name] = made

    def _is_pixels(self, name: str) -> bool:
        return any(value.name == name for value in self.graph.model.graph.output)

    def _is_integer(self, node: NodeProto) -> bool:
        maker = self.graph.producer(node.input[1])
        return maker is not None and maker.op_type == DEQUANTIZE
