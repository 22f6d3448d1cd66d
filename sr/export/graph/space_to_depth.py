"""Space-to-depth as one operator: exporters write PixelUnshuffle as a reshape through six dimensions."""

from typing import NamedTuple

import numpy as np
from onnx import NodeProto, helper, numpy_helper

from sr.export.graph.onnx_graph import DEQUANTIZE, QUANTIZE, Graph, attribute, set_attribute
from sr.export.graph.permutation import CHANNELWISE_OPS, CannotPermuteError, unshare_constants
from sr.functional import depth_to_space as orders

_UNSHUFFLE = [0, 1, 3, 5, 2, 4]  # (N, C, h, dy, w, dx) -> (N, C, dy, dx, h, w)


class Unshuffle(NamedTuple):
    """The three nodes that PixelUnshuffle becomes, and its block size."""

    reshape: NodeProto
    transpose: NodeProto
    flatten: NodeProto
    block: int


def unshuffle_to_space_to_depth(graph: Graph) -> None:
    """Rewrite PixelUnshuffle as SpaceToDepth, and permute the input axis of the convolution behind it.

    SpaceToDepth gives channel (dy * block + dx) * C + c where PixelUnshuffle gives c * block**2 + dy * block + dx.
    Integer results are the same. A float convolution sums in another order, so a pixel occasionally changes by 1. If
    something other than a convolution reads the result, the reshape stays and the certificate notes it.
    """
    found = [match for node in graph.of_type("Reshape") if (match := match_unshuffle(graph, node))]
    if found:
        unshare_constants(graph)
    for match in found:
        graph.notes.append(_rewrite(graph, match))


def match_unshuffle(graph: Graph, node: NodeProto) -> Unshuffle | None:
    """Return the PixelUnshuffle that begins at a Reshape, or None if the node is something else."""
    shape = graph.constant(node.input[1])
    if shape is None or len(shape) != 6 or shape[3] != shape[5]:
        return None
    transpose = _behind(graph, node)
    if transpose is None or transpose.op_type != "Transpose" or attribute(transpose, "perm") != _UNSHUFFLE:
        return None
    flatten = _behind(graph, transpose)
    if flatten is None or flatten.op_type != "Reshape":
        return None
    return Unshuffle(node, transpose, flatten, int(shape[3]))


def fold_into_convolution(graph: Graph) -> None:
    """Merge SpaceToDepth and the 1x1 convolution behind it into one convolution with stride = kernel = block.

    These are the same sums over the same pixels, at half the estimated time on the v73 of SA8650 for QuickSRNet x1.5.
    """
    for node in graph.of_type("SpaceToDepth"):
        conv = _behind(graph, node)
        if conv is not None and conv.op_type == "Conv" and _is_pointwise(conv):
            graph.notes.append(_fold(graph, node, conv))


def _behind(graph: Graph, node: NodeProto) -> NodeProto | None:
    """Return the only reader of a node's result, behind a quantizer that keeps the encoding of the node's input."""
    after = graph.only_consumer(node.output[0])
    if after is None or after.op_type != QUANTIZE:
        return after
    before = graph.producer(node.input[0])
    back = graph.only_consumer(after.output[0])
    if before is None or before.op_type != DEQUANTIZE or back is None or back.op_type != DEQUANTIZE:
        return None
    ours, theirs = graph.encoding(before), graph.encoding(after)
    if ours is None or theirs is None or not ours.agrees(theirs):
        return None
    return graph.only_consumer(back.output[0])


def _rewrite(graph: Graph, match: Unshuffle) -> str:
    name = match.reshape.name
    shape = graph.constant(match.reshape.input[1])
    assert shape is not None, "no match without a constant shape"
    channels = int(shape[1])
    order = orders.crd_to_dcr(channels, match.block).numpy()
    try:
        weights = _input_axes(graph, match.flatten.output[0])
    except CannotPermuteError as reason:
        return f"{name} stays a reshape through six dimensions: {reason}"
    for weight in weights:
        values = numpy_helper.to_array(graph.initializers[weight])
        graph.replace_initializer(weight, np.take(values, order, axis=1))
    node = helper.make_node(
        "SpaceToDepth", [match.reshape.input[0]], [match.flatten.output[0]], name=name, blocksize=match.block
    )
    at = graph.position(match.reshape)
    graph.model.graph.node.remove(match.flatten)
    graph.insert(at, node)
    graph.prune()
    return f"{name} is SpaceToDepth (block {match.block}, {channels} channels, {len(weights)} convolutions permuted)"


def _input_axes(graph: Graph, tensor: str) -> list[str]:
    """Return the weights whose input axis reads the channels of a tensor, through ops that treat channels alike."""
    weights: list[str] = []
    for node in graph.consumers(tensor):
        if node.op_type == "Conv" and node.input[0] == tensor and attribute(node, "group", 1) == 1:
            weights.append(_stored(graph, node.input[1]))
        elif node.op_type in (*CHANNELWISE_OPS, QUANTIZE, DEQUANTIZE) and not _per_channel(graph, node):
            weights += _input_axes(graph, node.output[0])
        else:
            raise CannotPermuteError(f"{node.op_type} {node.name} reads it")
    if graph.is_output(tensor):
        raise CannotPermuteError("it leaves the graph")
    return weights


def _per_channel(graph: Graph, node: NodeProto) -> bool:
    return node.op_type in (QUANTIZE, DEQUANTIZE) and graph.encoding(node) is None


def _stored(graph: Graph, weight: str) -> str:
    """Return the initializer behind a weight with a quantizer per tensor or per output channel."""
    while weight not in graph.initializers:
        node = graph.producer(weight)
        if node is None or node.op_type not in (QUANTIZE, DEQUANTIZE) or len(graph.consumers(weight)) != 1:
            raise CannotPermuteError(f"{weight} is no constant of its own")
        if _per_channel(graph, node) and attribute(node, "axis", 1) != 0:
            raise CannotPermuteError(f"{weight} has an encoding for each input channel")
        weight = node.input[0]
    return weight


def _is_pointwise(conv: NodeProto) -> bool:
    """Return whether a convolution is 1x1 with stride 1, without padding and groups."""
    still = {"kernel_shape": [1, 1], "strides": [1, 1], "pads": [0, 0, 0, 0], "group": 1}
    return all(attribute(conv, name, value) == value for name, value in still.items())


def _fold(graph: Graph, node: NodeProto, conv: NodeProto) -> str:
    """Make a 1x1 convolution read the unfolded image: weight (O, b*b*C, 1, 1) in DCR order -> (O, C, b, b)."""
    block = attribute(node, "blocksize")
    weight = _stored(graph, conv.input[1])
    values = numpy_helper.to_array(graph.initializers[weight])
    rows, columns = values.shape[:2]
    values = values.reshape(rows, block, block, columns // block**2).transpose(0, 3, 1, 2)
    graph.replace_initializer(weight, values)
    conv.input[0] = node.input[0]
    set_attribute(conv, "kernel_shape", [block, block])
    set_attribute(conv, "strides", [block, block])
    graph.index()
    graph.prune()
    return f"{node.name} merged with {conv.name} into one convolution {block}x{block} with stride {block}"
