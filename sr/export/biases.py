"""Biases on the grid of the accumulator that they are added to."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, numpy_helper

from sr.export.graph import DEQUANTIZE, Graph, attribute

_CLOSE = 1e-5  # relative; exporters multiply the two scales in float32


def biases_on_grid(graph: Graph) -> None:
    """Rounds every int32 bias to multiples of input scale x weight scale, where the exporter chose another grid.

    Integer hardware adds the bias to the accumulator as it is, without looking at its scale. ONNX Runtime multiplies
    it out, so a bias on a grid of its own looks right there and may be noise on the HTP: 255 LSB in QuickSRNet with
    its residual, nothing without. With this the two agree.
    """
    moved = [node.name for node in graph.of_type("Conv", "ConvTranspose") if _regrid(graph, node)]
    graph.index()
    if moved:
        graph.notes.append(f"biases of {', '.join(moved)} rounded to the grid of the accumulator")


def _regrid(graph: Graph, conv: NodeProto) -> bool:
    """Moves one bias; False when it is on the grid, or nothing is quantized there."""
    quantizers = [graph.producer(name) for name in conv.input]
    if len(quantizers) < 3 or any(node is None or node.op_type != DEQUANTIZE for node in quantizers):
        return False
    image, weight, bias = (node for node in quantizers if node is not None)
    scale, own = _accumulator_scale(graph, conv, image, weight), graph.quantizer(bias)[0].astype(np.float64)
    stored = graph.initializers.get(bias.input[0])
    if stored is None or np.allclose(own, scale, rtol=_CLOSE, atol=0):
        return False
    real = numpy_helper.to_array(stored).astype(np.float64) * own
    limits = np.iinfo(np.int32)
    integers = np.clip(np.rint(real / scale), limits.min, limits.max).astype(np.int32)
    names = [f"{bias.output[0]}_{what}" for what in ("integers", "scale", "zero_point")]
    arrays = (integers, np.broadcast_to(scale, integers.shape).astype(np.float32), np.zeros(integers.shape, np.int32))
    bias.input[:] = [graph.add_initializer(name, values) for name, values in zip(names, arrays, strict=True)]
    return True


def _accumulator_scale(graph: Graph, conv: NodeProto, image: NodeProto, weight: NodeProto) -> np.ndarray:
    """Input scale x weight scale, one for each output channel or one for all."""
    scales = graph.quantizer(weight)[0].astype(np.float64)
    rows = 0 if conv.op_type == "Conv" else 1
    if scales.size > 1 and attribute(weight, "axis", 1) != rows:
        raise ValueError(f"{conv.op_type} {conv.name} has weight scales along its input, which no accumulator can undo")
    return graph.quantizer(image)[0].astype(np.float64) * scales
