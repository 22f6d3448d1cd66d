"""Biases on the accumulator's grid, and raised where the hardware rounds down."""

import numpy as np
from onnx import NodeProto, numpy_helper

from sr.export.graph.onnx_graph import DEQUANTIZE, QUANTIZE, Encoding, Graph, attribute

_CLOSE = 1e-5  # relative; exporters multiply the two scales in float32


def biases_on_grid(graph: Graph) -> None:
    """Round every int32 bias to multiples of input scale x weight scale, where the exporter chose another grid.

    Integer hardware adds the bias to the accumulator without a look at its scale. ONNX Runtime applies the scale, so a
    bias on another grid looks right there and can be noise on the HTP: 255 LSB in QuickSRNet with its residual. On the
    accumulator's grid the two agree.
    """
    moved = [node.name for node in graph.of_type("Conv", "ConvTranspose") if _regrid(graph, node)]
    graph.index()
    if moved:
        graph.notes.append(f"biases of {', '.join(moved)} rounded to the grid of the accumulator")


def lift_biases(graph: Graph, lsb: float) -> None:
    """Raise the biases of convolutions by what the HTP up to v69 loses in rounding, so that brightness is kept.

    Those versions truncate the accumulator before they scale it. A result is low by 0.06 LSB times the mantissa, in
    [0.5, 1), of the factor from accumulator to output. Over the four layers of QuickSRNet-S that is 0.2 LSB of
    brightness and up to 0.1 dB; with raised biases less than 0.05 LSB remains. From v73 on there is no loss. Measured
    on the emulator: one convolution over all values of its accumulator, and whole nets.

    Args:
        graph: Graph with biases on the accumulator's grid; layers with more than 8 output bits stay unchanged.
        lsb: Loss for a mantissa of 1, in LSB of the output; 0.06.
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
    """Return the encoding of a convolution's output, possibly behind its activation."""
    node = graph.only_consumer(conv.output[0])
    while node is not None and node.op_type in ("Relu", "Clip"):
        node = graph.only_consumer(node.output[0])
    return graph.encoding(node) if node is not None and node.op_type == QUANTIZE else None


def _quantizers(graph: Graph, conv: NodeProto) -> tuple[NodeProto, NodeProto, NodeProto] | None:
    """Return the DQ nodes in front of image, weight and bias, if the bias is stored in integers."""
    nodes = [graph.producer(name) for name in conv.input]
    if len(nodes) < 3 or any(node is None or node.op_type != DEQUANTIZE for node in nodes):
        return None
    image, weight, bias = (node for node in nodes if node is not None)
    return (image, weight, bias) if bias.input[0] in graph.initializers else None


def _regrid(graph: Graph, conv: NodeProto) -> bool:
    """Move one bias to the accumulator's grid; return False if it is there already, or nothing is quantized."""
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
    """Return input scale x weight scale: one value, or one per output channel."""
    scales = graph.quantizer(weight)[0].astype(np.float64)
    rows = 0 if conv.op_type == "Conv" else 1
    if scales.size > 1 and attribute(weight, "axis", 1) != rows:
        raise ValueError(
            f"{conv.op_type} {conv.name} has a weight scale for each input channel; the accumulator needs one for each "
            "output channel, or a single one"
        )
    return graph.quantizer(image)[0].astype(np.float64) * scales
