"""Depth-to-space in DCR order: the same pixels, in the order for which the Hexagon compiler is fast."""

from onnx import NodeProto

from sr.export.graph.onnx_graph import Graph, attribute, set_attribute
from sr.export.graph.permutation import CannotPermuteError, Plan, channel_counts, unshare_constants
from sr.functional import depth_to_space as orders


def depth_to_space_to_dcr(graph: Graph) -> None:
    """Change every DepthToSpace from CRD to DCR, and permute the rows of the convolutions in front of it.

    Both orders give the same pixels bit for bit, also in float, because no sum changes its order. If something in front
    of a DepthToSpace cannot be permuted, it stays in CRD and the certificate notes it.

    Source: the ONNX operator DepthToSpace; the reason is in QuickSRNet, arXiv 2303.04336, supplement.
    """
    if not graph.of_type("DepthToSpace"):
        return
    unshare_constants(graph)
    for node in graph.of_type("DepthToSpace"):
        if attribute(node, "mode", "DCR") == "CRD":
            graph.notes.append(_turn(graph, node))


def _turn(graph: Graph, node: NodeProto) -> str:
    """Change one node and return a note on it."""
    block = attribute(node, "blocksize")
    channels = channel_counts(graph)[node.input[0]] // block**2
    plan = Plan(graph)
    try:
        if channels > 1:  # with one channel the two orders are the same
            plan.activation(node, node.input[0], orders.crd_to_dcr(channels, block).numpy())
            plan.apply()
    except CannotPermuteError as reason:
        return f"{node.name} stays in CRD order: {reason}"
    set_attribute(node, "mode", "DCR")
    arrays = len(plan.initializers)
    return f"{node.name} in DCR order (block {block}, {channels} channels, {arrays} arrays permuted)"
