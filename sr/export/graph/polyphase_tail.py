"""Polyphase tail: compute 2x2 output blocks by one strided convolution, an exact rewrite that is faster on newer HTPs.

A net that ends in convolution(s), clip and depth-to-space(b) computes each LR position alone. The same function is a
convolution of stride 2 whose kernel is one tap larger: each of its outputs holds the four LR positions of a 2x2 block
(the phases), and depth-to-space(2b) spreads them. The added taps are zero. HTPs pad channels to a multiple of 32, so 12
channels (x2) cost as much as 32, and 48 at a quarter of the positions cost less; the extra multiplications by zero make
older HTPs slower (docs/line.md has the estimates).
"""

from dataclasses import dataclass

import numpy as np
from onnx import NodeProto, numpy_helper

from sr.export.graph.onnx_graph import DEQUANTIZE, QUANTIZE, Graph, attribute, set_attribute
from sr.export.graph.permutation import unshare_constants

POLYPHASE = "polyphase"
_ELEMENTWISE = ("Add", "Cast", "Clip", "Identity", "Relu")


class NoPolyphaseTailError(ValueError):
    """The graph does not end in the operators that have a polyphase form."""


@dataclass(frozen=True)
class _Phases:
    """Which row and which place of the enlarged kernel each new output channel takes its taps from.

    Attributes:
        row: old output channel of each new one, (4 C b^2,).
        dy: vertical offset of the taps in the enlarged kernel, 0 or 1.
        dx: horizontal offset.
    """

    row: np.ndarray
    dy: np.ndarray
    dx: np.ndarray


def phases(channels: int, block: int) -> _Phases:
    """Return the channel order of depth-to-space(2 * block) in DCR order, as rows and phases of depth-to-space(block).

    Args:
        channels: image channels C behind depth-to-space.
        block: b of the old depth-to-space.

    >>> found = phases(channels=1, block=2)
    >>> found.row.tolist(), found.dx.tolist()
    ([0, 1, 0, 1, 2, 3, 2, 3, 0, 1, 0, 1, 2, 3, 2, 3], [0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1])
    """
    y, x, c = np.meshgrid(*(np.arange(size) for size in (2 * block, 2 * block, channels)), indexing="ij")
    row = ((y % block) * block + x % block) * channels + c
    return _Phases(row.ravel(), (y // block).ravel(), (x // block).ravel())


def polyphase_tail(graph: Graph) -> None:
    """Rewrite the tail of a graph in DCR order in its polyphase form, in place; the sides in front of it must be even.

    Integers are the same bit for bit; floats too where the runtime sums zeros exactly.

    Raises:
        NoPolyphaseTailError: the graph has no such tail; the message names the operator in the way. The graph is whole.
    """
    shuffle = _last_shuffle(graph)
    unshare_constants(graph)
    block = int(attribute(shuffle, "blocksize"))
    convolutions = _convolutions(graph, shuffle)
    rows = {len(_weight(graph, conv)) for conv in convolutions}
    if len(rows) != 1 or (count := rows.pop()) % block**2:
        raise NoPolyphaseTailError(f"the convolutions in front of {shuffle.name} differ in channels")
    order = phases(count // block**2, block)
    for conv in convolutions:
        _enlarge(graph, conv, order)
    set_attribute(shuffle, "blocksize", 2 * block)
    graph.prune()
    names = ", ".join(conv.name for conv in convolutions)
    graph.notes.append(f"{names} in polyphase form: stride 2, {len(order.row)} channels, depth-to-space({2 * block})")


def _last_shuffle(graph: Graph) -> NodeProto:
    found = graph.of_type("DepthToSpace")
    if len(found) != 1:
        raise NoPolyphaseTailError(f"a polyphase tail needs one depth-to-space, and the graph has {len(found)}")
    if attribute(found[0], "mode", "DCR") != "DCR":
        raise NoPolyphaseTailError(f"{found[0].name} is in CRD order; a polyphase tail needs DCR")
    return found[0]


def _convolutions(graph: Graph, shuffle: NodeProto) -> list[NodeProto]:
    """Return the convolutions whose sum reaches depth-to-space through operators that treat all values alike."""
    found: list[NodeProto] = []
    waiting = [(shuffle, shuffle.input[0])]
    while waiting:
        reader, tensor = waiting.pop()
        node = graph.producer(tensor)
        if node is None or graph.is_output(tensor) or graph.consumers(tensor) != [reader]:
            raise NoPolyphaseTailError(f"{tensor} in front of {shuffle.name} is used elsewhere, or is the net's input")
        if node.op_type == "Conv":
            _check_convolution(graph, node)
            found.append(node)
        elif node.op_type in (QUANTIZE, DEQUANTIZE) and graph.encoding(node) is not None:
            waiting.append((node, node.input[0]))
        elif node.op_type in _ELEMENTWISE:
            inputs = node.input if node.op_type == "Add" else node.input[:1]
            waiting += [(node, name) for name in inputs]
        else:
            raise NoPolyphaseTailError(f"{node.op_type} {node.name} in front of {shuffle.name} has no polyphase form")
    return found


def _check_convolution(graph: Graph, conv: NodeProto) -> None:
    kernel = _weight(graph, conv).shape[2:]
    plain = {"group": 1, "strides": [1, 1], "dilations": [1, 1], "pads": [kernel[0] // 2] * 4, "auto_pad": "NOTSET"}
    odd = kernel[0] == kernel[1] and kernel[0] % 2 == 1
    if not odd or any(attribute(conv, name, value) != value for name, value in plain.items()):
        raise NoPolyphaseTailError(f"{conv.name} is not a plain convolution of stride 1 that keeps the size")


def _weight(graph: Graph, conv: NodeProto) -> np.ndarray:
    values = graph.constant(conv.input[1])
    if values is None or values.ndim != 4:
        raise NoPolyphaseTailError(f"the weight of {conv.name} is not constant")
    return values


def _enlarge(graph: Graph, conv: NodeProto, order: _Phases) -> None:
    """Repeat the rows of a convolution once a phase, each with its taps shifted by the phase in a kernel of k + 1."""
    weight, zero = _repeat_quantizer(graph, conv.input[1], order)
    old = numpy_helper.to_array(graph.initializers[weight])
    size = old.shape[2]
    new = np.broadcast_to(zero, (len(order.row), old.shape[1], size + 1, size + 1)).astype(old.dtype)
    for index, (row, dy, dx) in enumerate(zip(order.row, order.dy, order.dx, strict=True)):
        new[index, :, dy : dy + size, dx : dx + size] = old[row]
    graph.replace_initializer(weight, new)
    if len(conv.input) > 2 and conv.input[2]:
        bias, _ = _repeat_quantizer(graph, conv.input[2], order)
        graph.replace_initializer(bias, numpy_helper.to_array(graph.initializers[bias])[order.row])
    set_attribute(conv, "kernel_shape", [size + 1, size + 1])
    set_attribute(conv, "strides", [2, 2])
    set_attribute(conv, "pads", [size // 2] * 4)


def _repeat_quantizer(graph: Graph, tensor: str, order: _Phases) -> tuple[str, np.ndarray]:
    """Repeat the entries of a constant's per-channel quantizer; return the stored constant and its integer zero."""
    zero: np.ndarray = np.zeros((1, 1, 1, 1))
    while tensor not in graph.initializers:
        node = graph.producer(tensor)
        if node is None or node.op_type not in (QUANTIZE, DEQUANTIZE):
            raise NoPolyphaseTailError(f"{tensor} is not a stored constant")
        for name in node.input[1:]:
            values = numpy_helper.to_array(graph.initializers[name])
            if values.ndim == 1 and values.size > 1:
                values = values[order.row]
                graph.replace_initializer(name, values)
        if len(node.input) > 2:
            zero = values.reshape(-1, 1, 1, 1)
        tensor = node.input[0]
    return tensor, zero
