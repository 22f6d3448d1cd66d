"""Removal of clips that the quantizer behind them makes redundant."""

import numpy as np
from onnx import NodeProto

from sr.export.graph.onnx_graph import DEQUANTIZE, QUANTIZE, Encoding, Graph


def drop_redundant_clips(graph: Graph) -> None:
    """Remove every Clip and Relu that cannot change a value, with the quantizer that becomes a duplicate.

    AIMET writes Conv -> Q -> DQ -> Clip -> Q -> DQ with twice the same encoding. The integers cannot leave the range of
    that encoding, so the clip and one of the two Q -> DQ pairs are the identity: no value changes. A clip stays where
    it has an
    effect: in a float net, or if the quantizer's range is wider than the clip's.
    """
    dropped = [node for node in graph.of_type("Clip", "Relu") if _drop(graph, node)]
    graph.prune()
    if dropped:
        graph.notes.append(f"dropped {len(dropped)} clips that the quantizer behind them does already")


def _drop(graph: Graph, clip: NodeProto) -> bool:
    """Remove one clip between two equal quantizers; return False if it has an effect."""
    before, after = graph.producer(clip.input[0]), graph.only_consumer(clip.output[0])
    if before is None or before.op_type != DEQUANTIZE or after is None or after.op_type != QUANTIZE:
        return False
    encoding, encoding_after = graph.encoding(before), graph.encoding(after)
    if encoding is None or encoding_after is None or not encoding.agrees(encoding_after):
        return False
    if not covers(bounds(graph, clip), encoding):
        return False
    # Q(DQ(q)) == q for equal encodings: readers of the second Q now read the integers in front of the clip.
    graph.rewire(after.output[0], before.input[0])
    return True


def bounds(graph: Graph, clip: NodeProto) -> tuple[float, float]:
    """Return the range [low, high] of a Clip or Relu."""
    if clip.op_type == "Relu":
        return 0.0, float("inf")
    low, high = (graph.constant(name) if name else None for name in (*clip.input[1:3], "", "")[:2])
    return -np.inf if low is None else float(low), np.inf if high is None else float(high)


def covers(interval: tuple[float, float], encoding: Encoding) -> bool:
    """Return whether every value of an encoding passes a clip, up to less than half a step, which rounds back.

    Args:
        interval: Range of the clip.
        encoding: The encoding.

    >>> covers((0.0, 1.0), Encoding(1 / 255, 0, "uint8")), covers((0.0, 0.5), Encoding(1 / 255, 0, "uint8"))
    (True, False)
    """
    half = 0.49 * encoding.scale
    return interval[0] <= encoding.low + half and encoding.high - half <= interval[1]
