"""Biases on the grid of the accumulator that they are added to, and raised where the hardware rounds down."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, numpy_helper

from sr.export.graph.onnx_graph import DEQUANTIZE, QUANTIZE, Encoding, Graph, attribute

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


def lift_biases(graph: Graph, lsb: float) -> None:
    """Raises the biases of convolutions by what the HTP up to v69 loses when it rounds: pictures stay as bright.

    Those versions cut the accumulator off before they scale it: a result is low by 0.06 LSB times the mantissa, in
    [0.5, 1), of the factor from accumulator to output. Over the four layers of QuickSRNet-S that is 0.2 LSB of
    brightness and up to 0.1 dB; with it, less than 0.05 LSB is left. From v73 on there is nothing to give back.
    Measured on the emulator: one convolution over all values of its accumulator, and whole nets.

    Args:
        graph: biases on the grid of the accumulator; layers whose output has more than 8 bits stay as they are.
        lsb: what a mantissa of 1 loses, in LSB of the output; 0.06.
    """
    for conv in graph.of_type("Conv", "ConvTranspose"):
        quantizers = _quantizers(graph, conv)
        output = _output_encoding(graph, conv)
        if quantizers is None or output is None or output.dtype not in ("uint8", "int8"):
            continue
        image, weight, bias = quantizers
        factor = _accumulator_scale(graph, conv, image, weight) / output.scale
        stored = numpy_helper.to_array(graph.initializers[bias.input[0]])
        raised = np.rint(stored + lsb * np.frexp(factor)[0] / factor)
        graph.replace_initializer(bias.input[0], raised.astype(stored.dtype))


def _output_encoding(graph: Graph, conv: NodeProto) -> Encoding | None:
    """The encoding of what a convolution gives, perhaps behind its activation."""
    node = graph.only_consumer(conv.output[0])
    while node is not None and node.op_type in ("Relu", "Clip"):
        node = graph.only_consumer(node.output[0])
    return graph.encoding(node) if node is not None and node.op_type == QUANTIZE else None


def _quantizers(graph: Graph, conv: NodeProto) -> tuple[NodeProto, NodeProto, NodeProto] | None:
    """The DQ nodes in front of image, weight and bias, if the bias is stored in integers."""
    nodes = [graph.producer(name) for name in conv.input]
    if len(nodes) < 3 or any(node is None or node.op_type != DEQUANTIZE for node in nodes):
        return None
    image, weight, bias = (node for node in nodes if node is not None)
    return (image, weight, bias) if bias.input[0] in graph.initializers else None


def _regrid(graph: Graph, conv: NodeProto) -> bool:
    """Moves one bias; False when it is on the grid, or nothing is quantized there."""
    quantizers = _quantizers(graph, conv)
    if quantizers is None:
        return False
    image, weight, bias = quantizers
    scale, own = _accumulator_scale(graph, conv, image, weight), graph.quantizer(bias)[0].astype(np.float64)
    if np.allclose(own, scale, rtol=_CLOSE, atol=0):
        return False
    real = numpy_helper.to_array(graph.initializers[bias.input[0]]).astype(np.float64) * own
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
