"""Conversion of an exported ONNX graph to a LiteRT model: the same integers and grids, no new calibration.

LiteRT's own converters calibrate again, implement depth-to-space with transposes and keep clips in float. The certified
graph is on its grids already. ONNX's planes become NHWC, unsigned activations become signed (zero point minus 128), and
depth-to-space in DCR order is one operator.
"""

from onnx import NodeProto

from sr.export.graph.onnx_graph import DEQUANTIZE, PIXEL_GRID, QUANTIZE, Graph, attribute
from sr.export.graph.shape import fix_shape
from sr.export.litert.builder import LiteRtBuilder, Value
from sr.export.litert.flatbuffer import ModelFile
from sr.export.litert.operators import CONVERTERS

LAYOUTS = ([0, 3, 1, 2], [0, 2, 3, 1])  # NHWC to NCHW and back: everything here is NHWC


def lower(
    graph: Graph, lr_size: tuple[int, int], description: str, *, portable: bool = False
) -> tuple[ModelFile, int, int, list[str]]:
    """Convert a graph with uint8 NHWC input and output to a LiteRT model.

    Args:
        graph: The `pixels` graph of a release.
        lr_size: LR height and width of the file; the runtime can resize it.
        description: Text that is kept in the file.
        portable: Whether to avoid operators that delegates refuse: PReLU becomes two ReLUs with the same bits.

    Returns:
        The model, the numbers of its input and output tensors, and notes for the certificate.

    Raises:
        ValueError: LiteRT does not support an operator or a number of bits; the message names the layer.
    """
    fixed = Graph(graph.model)
    fix_shape(fixed, *lr_size)
    builder = LiteRtBuilder(fixed, description, portable)
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
    """Return the model with the numbers of its input and output tensors."""
    result = builder.values[builder.graph.model.graph.output[0].name]
    if not builder.quantized:
        return builder.file, builder.entry, result.number
    shape = tuple(builder.shapes[builder.graph.model.graph.output[0].name])
    output = builder.file.tensor("output", shape, "uint8", scale=PIXEL_GRID.scale, zero_point=0)
    builder.file.operator("QUANTIZE", [result.number], output, "QuantizeOptions")
    return builder.file, builder.entry, output


def _change_grid(builder: LiteRtBuilder, node: NodeProto) -> None:
    source, name = node.input[0], node.output[0]
    if source not in builder.values:
        return  # a constant, which its reader converts
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
            builder.file.tensor("output", builder.shape(name), "uint8", scale=PIXEL_GRID.scale, zero_point=0),
            PIXEL_GRID,
        )
        builder.file.operator("QUANTIZE", [value.number], made.number, "QuantizeOptions")
        builder.values[name] = made


def _is_pixels(builder: LiteRtBuilder, name: str) -> bool:
    return any(value.name == name for value in builder.graph.model.graph.output)
