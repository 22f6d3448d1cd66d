"""uint8 NHWC input and output: images in the memory layout of cameras and screens."""

import numpy as np
from onnx import NodeProto, TensorProto, TensorShapeProto, ValueInfoProto, helper

from sr.export.graph.onnx_graph import DEQUANTIZE, PIXEL_GRID, QUANTIZE, Graph

_TO_PLANES, _TO_PIXELS = [0, 3, 1, 2], [0, 2, 3, 1]


def uint8_nhwc_io(graph: Graph) -> None:
    """Replace float NCHW input and output in [0, 1] by uint8 pixels (1, height, width, channels).

    If the first quantizer has the grid of pixels (scale 1/255, zero point 0), it is removed, because the pixel is the
    integer. Otherwise, and in a float net, a dequantizer for the pixels is added in front. The output is handled alike.
    One Transpose at each end gives the layout; the Hexagon compiler absorbs it. The pixels stay the same bit for bit.
    """
    other_grid = _pixels_in(graph) + _pixels_out(graph)
    graph.prune()
    note = f" ({' and '.join(other_grid)} quantized as pixels in addition)" if other_grid else ""
    graph.notes.append("uint8 NHWC input and output" + note)


def _pixels_in(graph: Graph) -> list[str]:
    value = graph.model.graph.input[0]
    name, planes = value.name, value.name + "_planes"
    readers = graph.consumers(name)
    _to_pixels(value)
    nodes = [helper.make_node("Transpose", [name], [planes], name=planes, perm=_TO_PLANES)]
    if readers and all(_is_pixel_grid(graph, node) for node in readers):
        for node in readers:
            graph.rewire(node.output[0], planes)
        graph.insert(0, *nodes)
        return []
    real = name + "_real"
    nodes.append(helper.make_node(DEQUANTIZE, [planes, *_grid(graph)], [real], name=real))
    graph.rewire(name, real)
    graph.insert(0, *nodes)
    return ["input"]


def _pixels_out(graph: Graph) -> list[str]:
    value = graph.model.graph.output[0]
    name, planes = value.name, value.name + "_planes"
    _to_pixels(value)
    last = graph.producer(name)
    assert last is not None, "an output without a node"
    made = [helper.make_node("Transpose", [planes], [name], name=planes, perm=_TO_PIXELS)]
    notes = []
    if _is_pixel_grid(graph, last) and len(graph.consumers(name)) == 0:
        graph.remove([last])  # its integers are the pixels
        made[0].input[0] = last.input[0]
    else:
        real = name + "_real"
        last.output[:] = [real if output == name else output for output in last.output]
        graph.rewire(name, real)
        made.insert(0, helper.make_node(QUANTIZE, [real, *_grid(graph)], [planes], name=real))
        notes.append("output")
    graph.insert(len(graph.nodes), *made)
    return notes


def _is_pixel_grid(graph: Graph, node: NodeProto) -> bool:
    encoding = graph.encoding(node) if node.op_type in (QUANTIZE, DEQUANTIZE) else None
    return encoding is not None and encoding.agrees(PIXEL_GRID)


def _grid(graph: Graph) -> tuple[str, str]:
    scale = graph.add_initializer("pixel_scale", np.array(PIXEL_GRID.scale, np.float32))
    return scale, graph.add_initializer("pixel_zero_point", np.array(PIXEL_GRID.zero_point, np.uint8))


def _to_pixels(value: ValueInfoProto) -> None:
    """Change the declaration of (N, C, H, W) float to (N, H, W, C) uint8."""
    tensor = value.type.tensor_type
    tensor.elem_type = TensorProto.UINT8
    planes = TensorShapeProto()
    planes.CopyFrom(tensor.shape)
    del tensor.shape.dim[:]
    tensor.shape.dim.extend(planes.dim[axis] for axis in _TO_PIXELS)
