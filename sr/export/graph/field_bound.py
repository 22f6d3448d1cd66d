"""Bound the receptive field of an exported graph."""

from math import prod

from onnx import NodeProto

from sr.export.graph.onnx_graph import Graph, attribute

_LOCAL = ("Conv", "ConvTranspose", "DepthToSpace", "SpaceToDepth")
_POINTWISE = (
    "QuantizeLinear", "DequantizeLinear", "Relu", "PRelu", "LeakyRelu", "Clip", "Add", "Sub", "Mul", "Transpose",
    "Concat", "Tanh", "Sigmoid", "Constant", "Cast", "Min", "Max", "Split", "Identity",
)  # fmt: skip


def field_bound(graph: Graph) -> int | None:
    """Return a width in LR pixels that covers the receptive field of a graph.

    Each convolution of k columns widens the field by at most k - 1 positions, and a position is at most as wide as all
    strides and space-to-depth blocks together.

    Returns:
        The width; None if an operator may look at the whole image.
    """
    if any(node.op_type not in (*_LOCAL, *_POINTWISE) for node in graph.nodes):
        return None
    blocks = [attribute(node, "blocksize", 1) for node in graph.of_type("SpaceToDepth")]
    strides = [max(attribute(node, "strides", [1])) for node in graph.of_type("Conv")]
    reach = sum(_columns(graph, node) - 1 for node in graph.of_type("Conv", "ConvTranspose"))
    return 1 + reach * prod([*blocks, *strides])


def _columns(graph: Graph, node: NodeProto) -> int:
    weights = graph.constant(node.input[1])
    assert weights is not None, f"{node.name} has no constant weights"
    dilation = attribute(node, "dilations", [1, 1])[-1]
    return (weights.shape[-1] - 1) * dilation + 1
