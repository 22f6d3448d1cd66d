"""Width bug of the HTP compiler.

Depth-to-space by 4 in DCR order and 8 bits writes the last 1 to 3 columns of its input over the first ones if its input
is 1 to 3 columns narrower than a multiple of 32 (29, 30, 31, 61, ...). Found on the emulators v69 and v73 by comparison
with ONNX Runtime at all scales and both precisions. CRD order, other blocks, fp16 and all other widths are right. The
usual targets (360p to 2160p) are not affected. Behind a convolution of stride 2, as in a polyphase tail, the input has
half the LR width.
"""

from onnx import TensorProto, shape_inference

from sr.export.graph.onnx_graph import Graph, attribute
from sr.export.graph.shape import fix_shape

LANES = 32
"""Columns that the compiler lays side by side."""


def safe_width(graph: Graph, width: int) -> int:
    """Return the smallest LR width, at least `width`, that the bug does not affect.

    Args:
        graph: The net.
        width: Width in LR pixels.
    """
    if not width or not (affected := _affected_inputs(graph)):
        return width
    columns = _widths(graph, width)
    found = width
    for name in affected:
        stride = -(-width // columns[name])
        short = -columns[name] % LANES
        found = max(found, (columns[name] + short) * stride if short in (1, 2, 3) else width)
    return found


def refuse_spoiled(graph: Graph, width: int) -> None:
    """Check that the bug does not affect a width, before a file with a wrong left edge is compiled.

    Args:
        graph: The net.
        width: Width in LR pixels.

    Raises:
        ValueError: It does; the message names a width that works.
    """
    if (safe := safe_width(graph, width)) != width:
        wanted = _widths(graph, width)[graph.model.graph.output[0].name]
        raise ValueError(
            f"the HTP compiler spoils the left edge of 8-bit depth-to-space(4) at an LR width of {width}: set "
            f"size=<height>x{safe} (LR pixels), hand over images widened to {safe} columns, and cut the result to "
            f"{wanted}"
        )


def _affected_inputs(graph: Graph) -> list[str]:
    """Return the inputs of the nodes that have the bug."""
    kinds = {
        node.input[0]: (attribute(node, "blocksize"), attribute(node, "mode", "DCR"))
        for node in graph.of_type("DepthToSpace")
    }
    return [name for name, kind in kinds.items() if kind == (4, "DCR")] if graph.of_type("QuantizeLinear") else []


def _widths(graph: Graph, width: int) -> dict[str, int]:
    """Return the width of every tensor for an LR width; of the output, which may be NHWC, too."""
    fixed = Graph(graph.model)
    fix_shape(fixed, LANES, width)
    model = shape_inference.infer_shapes(fixed.model, data_prop=True)
    shapes = {value.name: value.type.tensor_type for value in (*model.graph.value_info, *model.graph.output)}
    sides = {name: [dim.dim_value for dim in tensor.shape.dim] for name, tensor in shapes.items()}
    output = model.graph.output[0].name
    pixels = shapes[output].elem_type == TensorProto.UINT8
    found = {name: shape[3] for name, shape in sides.items() if len(shape) == 4}
    return found | {output: sides[output][2 if pixels else 3]}
