"""From an exported ONNX graph to a LiteRT model: the same integers and the same grids, nothing calibrated again.

LiteRT's own converters look for ranges anew, order depth-to-space by transposes and keep clips in float; what has been
proven is on its grids already. ONNX's planes become NHWC, unsigned activations signed ones (zero point less 128),
depth-to-space in DCR order one operator.
"""

from __future__ import annotations

from onnx import NodeProto

from sr.export.graph.onnx_graph import DEQUANTIZE, PIXELS, QUANTIZE, Graph, attribute
from sr.export.graph.shape import fix_shape
from sr.export.litert.builder import LiteRtBuilder, Value
from sr.export.litert.flatbuffer import ModelFile
from sr.export.litert.operators import CONVERTERS

LAYOUTS = ([0, 3, 1, 2], [0, 2, 3, 1])  # planes from pixels and back: here everything is pixels


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
    builder = LiteRtBuilder(fixed, description)
    for node in fixed.nodes:
        _convert(builder, node)
    return (*_finish(builder), builder.notes)


def _convert(builder: LiteRtBuilder, node: NodeProto) -> None:
    """Convert one node.

    Raises:
        ValueError: LiteRT has no such operator, or not with these settings.
    """
    if node.op_type in (DEQUANTIZE, QUANTIZE):
        _change_grid(builder, node)
    elif node.op_type == "Transpose":
        if attribute(node, "perm") not in LAYOUTS:
            raise builder.refusal(node, "it reorders axes in another way than planes and pixels do")
        builder.values[node.output[0]] = builder.values[node.input[0]]
    elif node.op_type in CONVERTERS:
        builder.values[node.output[0]] = CONVERTERS[node.op_type](builder, node)
    elif node.op_type != "Constant":
        known = ", ".join(sorted(CONVERTERS))
        raise builder.refusal(node, f"there is no counterpart among {known}")


def _finish(builder: LiteRtBuilder) -> tuple[ModelFile, int, int]:
    """The model with the numbers of its input and output."""
    result = builder.values[builder.graph.model.graph.output[0].name]
    if not builder.quantized:
        return builder.file, builder.entry, result.number
    shape = tuple(builder.shapes[builder.graph.model.graph.output[0].name])
    output = builder.file.tensor("output", shape, "uint8", scale=PIXELS.scale, zero_point=0)
    builder.file.operator("QUANTIZE", [result.number], output, "QuantizeOptions")
    return builder.file, builder.entry, output


def _change_grid(builder: LiteRtBuilder, node: NodeProto) -> None:
    source, name = node.input[0], node.output[0]
    if source not in builder.values:
        return  # of a constant: whoever reads it takes it
    value, grid = builder.values[source], builder.graph.encoding(node)
    if builder.quantized:
        assert grid is not None, f"{node.name} has a scale for each channel of an activation"
        shape = builder.shapes[name] if _is_pixels(builder, name) else builder.shape(name)
        builder.values[name] = builder.requantized(value, name, tuple(shape), grid)
    elif node.op_type == DEQUANTIZE:
        made = builder.activation(name, builder.shape(name), None)
        builder.file.operator("DEQUANTIZE", [value.number], made.number, "DequantizeOptions")
        builder.values[name] = made
    else:
        made = Value(
            builder.file.tensor("output", builder.shape(name), "uint8", scale=PIXELS.scale, zero_point=0), PIXELS
        )
        builder.file.operator("QUANTIZE", [value.number], made.number, "QuantizeOptions")
        builder.values[name] = made


def _is_pixels(builder: LiteRtBuilder, name: str) -> bool:
    return any(value.name == name for value in builder.graph.model.graph.output)
