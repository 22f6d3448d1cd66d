"""Width bug of the HTP compiler.

Depth-to-space by 4 in DCR order and 8 bits writes the last 1 to 3 LR columns over the first ones if the LR width is 1
to 3 below a multiple of 32 (29, 30, 31, 61, ...). Found on the emulators v69 and v73 by comparison with ONNX Runtime at
all scales and both precisions. CRD order, other blocks, fp16 and all other widths are right. The usual targets (360p to
2160p) are not affected.
"""

from __future__ import annotations

from sr.export.graph.onnx_graph import Graph, attribute

LANES = 32
"""Columns that the compiler lays side by side."""


def safe_width(graph: Graph, width: int) -> int:
    """Return the smallest LR width, at least `width`, that the bug does not affect.

    Args:
        graph: The net.
        width: Width in LR pixels.
    """
    short = -width % LANES
    return width + short if short in (1, 2, 3) and _is_touched(graph) else width


def refuse_spoiled(graph: Graph, width: int) -> None:
    """Check that the bug does not affect a width, before a file with a wrong left edge is compiled.

    Args:
        graph: The net.
        width: Width in LR pixels.

    Raises:
        ValueError: It does; the message names a width that works.
    """
    if (safe := safe_width(graph, width)) != width:
        raise ValueError(
            f"the HTP compiler spoils the left edge of 8-bit x4 at an LR width of {width}: set size=<height>x{safe} "
            f"(LR pixels), hand over images widened to {safe} columns, and cut the result to {4 * width}"
        )


def _is_touched(graph: Graph) -> bool:
    shuffles = [
        (attribute(node, "blocksize"), attribute(node, "mode", "DCR")) for node in graph.of_type("DepthToSpace")
    ]
    return (4, "DCR") in shuffles and bool(graph.of_type("QuantizeLinear"))
