"""Quantizers as a file beside a float ONNX file, the form in which Qualcomm's converters read a net from AIMET."""

from typing import Any

import ml_dtypes
import numpy as np
from onnx import NodeProto, numpy_helper

from sr.export.graph.onnx_graph import DEQUANTIZE, QUANTIZE, Graph, attribute

VERSION = "1.0.0"


def split_quantizers(graph: Graph) -> tuple[Graph, dict[str, Any]]:
    """Split a quantized graph into a float graph and the encodings of its tensors, in the order of its channels.

    The float weights lie on their grids, so quantizing them with these encodings gives the same integers. Both come
    from the certified file and not from the simulation, so they cannot disagree.

    Args:
        graph: Graph with quantizers and float input and output; it is not changed.

    Returns:
        The float graph, and encodings in AIMET's format 1.0.0. An offset is the smallest integer minus the zero point
        (-128 for symmetric int8 weights). Biases have none there: the converter makes them int32.
    """
    plain = Graph(graph.model)
    params: list[dict[str, Any]] = []
    activations: dict[str, dict[str, Any]] = {}
    for node in plain.of_type(DEQUANTIZE):
        if node.input[0] in plain.initializers:
            params += _constant(plain, node)
    for node in plain.of_type(QUANTIZE):
        back = plain.only_consumer(node.output[0])
        assert back is not None and back.op_type == DEQUANTIZE, f"{node.name} is not followed by its inverse"
        activations[_bypass(plain, node, back)] = _encoding(plain, node)
    plain.prune()
    return plain, {
        "version": VERSION,
        "activation_encodings": [{"name": name, **entry} for name, entry in activations.items()],
        "param_encodings": params,
        "excluded_layers": [],
        "producer": "sr",
        "quantizer_args": {},
    }


def _constant(graph: Graph, node: NodeProto) -> list[dict[str, Any]]:
    """Replace integers and their DQ by floats under the parameter's own name; return the encoding."""
    stored = numpy_helper.to_array(graph.initializers[node.input[0]])
    values = graph.constant(node.output[0])
    assert values is not None
    own = graph.add_initializer(node.input[0].removesuffix("_q"), values)
    entry = {"name": own, **_encoding(graph, node)}
    graph.rewire(node.output[0], own)
    return [entry] if stored.ndim > 1 else []


def _bypass(graph: Graph, node: NodeProto, back: NodeProto) -> str:
    """Remove a Q -> DQ pair and return the name of the tensor that replaces it."""
    name = node.input[0]
    if not graph.is_output(back.output[0]):
        graph.rewire(back.output[0], name)
        return name
    # The pair produces the output of the net: the producer of its input produces the output now.
    output = back.output[0]
    maker = graph.producer(name)
    assert maker is not None
    graph.remove([node, back])
    maker.output[:] = [output if made == name else made for made in maker.output]
    graph.rewire(name, output)
    return output


def _encoding(graph: Graph, node: NodeProto) -> dict[str, Any]:
    """Return scales and offsets of a Q or DQ node: one, or one per channel."""
    scale, zero_point = (np.atleast_1d(values) for values in graph.quantizer(node))
    limits = ml_dtypes.iinfo(zero_point.dtype)
    symmetric = bool(limits.min < 0 and not zero_point.astype(np.int64).any())
    return {
        "dtype": "INT",
        "bw": limits.bits,
        "is_sym": symmetric,
        "scale": [float(value) for value in scale],
        "offset": [int(limits.min) - int(value) for value in zero_point],
        "enc_type": "PER_CHANNEL" if scale.size > 1 or attribute(node, "axis") is not None else "PER_TENSOR",
    }
