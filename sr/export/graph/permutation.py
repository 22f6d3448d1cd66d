"""Channel permutations of an ONNX graph, applied to the constants of the convolutions that produce the channels.

Depth-to-space reads its input channels in CRD order (PyTorch's) or in DCR order (for which the Hexagon compiler has
fast kernels). A change of the order permutes the channels of the tensor in front. It costs nothing if the output rows
of the convolutions behind that tensor are permuted instead: weights, biases, and scales and zero points of per-channel
quantizers, through everything that treats channels alike (clips, quantizers, sums).
"""

from collections.abc import Callable

import numpy as np
from onnx import NodeProto, numpy_helper, shape_inference

from sr.export.graph.onnx_graph import DEQUANTIZE, QUANTIZE, Graph, attribute

# Ops that treat every channel alike: permuting their output is permuting their first input.
CHANNELWISE_OPS = frozenset(
    {"Relu", "Clip", "LeakyRelu", "Elu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Abs", "Neg", "Sqrt"}
    | {"Cast", "Identity", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Resize"}
)
BROADCAST_OPS = frozenset({"Add", "Sub", "Mul", "Div", "Min", "Max", "Pow"})


class CannotPermuteError(ValueError):
    """The channels of a tensor cannot be permuted without new operations in the graph."""


class Plan:
    """Plan of all permutations for one tensor; it is collected first, so an error leaves the graph unchanged.

    Each read of a permuted tensor is planned together with the node that reads it. A further reader would get the new
    order unknowingly, so `apply` raises an error.

    Args:
        graph: Graph, only read until `apply`.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.initializers: dict[str, tuple[int, np.ndarray]] = {}
        self._concats: list[tuple[NodeProto, list[int]]] = []
        self._orders: dict[str, np.ndarray] = {}
        self._planned: set[tuple[str, str]] = set()
        self._channels = channel_counts(graph)
        self._walkers: dict[str, Callable[[NodeProto, np.ndarray], None]] = {
            "Conv": self._convolution,
            "ConvTranspose": self._transposed_convolution,
            QUANTIZE: self._quantizer,
            DEQUANTIZE: self._quantizer,
            "PRelu": self._slopes,
            "Concat": self._concat,
            "DepthToSpace": self._depth_to_space,
            **dict.fromkeys(BROADCAST_OPS, self._operands),
            **dict.fromkeys(CHANNELWISE_OPS, self._alike),
        }

    def activation(self, reader: NodeProto, name: str, order: np.ndarray) -> None:
        """Plan that new channel i of a tensor (N, C, h, w) is old channel order[i].

        Args:
            reader: Node that expects the new order; for the first call, the node that the caller will change.
            name: The tensor.
            order: Permutation of C channels.

        Raises:
            CannotPermuteError: An op prevents it; the message names it.
        """
        self._planned.add((reader.output[0], name))
        if name in self._orders:
            if not np.array_equal(self._orders[name], order):
                raise CannotPermuteError(f"{name} is needed in two different channel orders")
            return
        node = self.graph.producer(name)
        if node is None or self.graph.is_output(name):
            raise CannotPermuteError(f"{name} is the net's own input or output, whose channels have to stay in place")
        self._orders[name] = order
        self._walkers.get(node.op_type, self._refuse)(node, order)

    def constant(self, reader: NodeProto, name: str, order: np.ndarray, axis: int) -> None:
        """Plan that new entry i of a constant along an axis is old entry order[i], also of its quantizer.

        Args:
            reader: Node that expects the new order.
            name: The constant.
            order: Permutation of the entries.
            axis: Axis of the constant.

        Raises:
            CannotPermuteError: It is no constant, or is needed in two orders.
        """
        values = self.graph.constant(name)
        if values is None:
            raise CannotPermuteError(f"{name} is no constant of the net")
        if values.ndim < -axis or values.shape[axis] == 1:
            return  # one value for all channels
        axis %= values.ndim
        node = self.graph.producer(name)
        if node is None:
            self._initializer(reader, name, order, axis)
            return
        if node.op_type not in (QUANTIZE, DEQUANTIZE):
            raise CannotPermuteError(f"{name} is made by {node.op_type}, and not kept as an initializer")
        self._planned.add((reader.output[0], name))
        self._orders[name] = order
        self._per_channel(node, order, axis)
        self.constant(node, node.input[0], order, axis)

    def apply(self) -> None:
        """Apply the plan.

        Raises:
            CannotPermuteError: A node outside the plan reads something that is permuted.
        """
        for name in (*self._orders, *self.initializers):
            for node in self.graph.consumers(name):
                if (node.output[0], name) not in self._planned:
                    raise CannotPermuteError(f"{name} is also read by {node.op_type} {node.name}, in the old order")
        for name, (axis, order) in self.initializers.items():
            values = numpy_helper.to_array(self.graph.initializers[name])
            self.graph.replace_initializer(name, np.take(values, order, axis=axis))
        for node, parts in self._concats:
            names = [node.input[part] for part in parts]
            del node.input[:]
            node.input.extend(names)
        self.graph.index()

    def _refuse(self, node: NodeProto, order: np.ndarray) -> None:
        raise CannotPermuteError(f"{node.op_type} {node.name} does not treat its {len(order)} channels alike")

    def _alike(self, node: NodeProto, order: np.ndarray) -> None:
        self.activation(node, node.input[0], order)

    def _convolution(self, node: NodeProto, order: np.ndarray) -> None:
        group = attribute(node, "group", 1)
        depthwise = group == len(order) == self._channels.get(node.input[0])
        if group != 1 and not depthwise:
            raise CannotPermuteError(f"Conv {node.name} works in {group} groups of channels")
        self.constant(node, node.input[1], order, 0)
        self._bias(node, order)
        if depthwise:
            self.activation(node, node.input[0], order)

    def _transposed_convolution(self, node: NodeProto, order: np.ndarray) -> None:
        if attribute(node, "group", 1) != 1:
            raise CannotPermuteError(f"ConvTranspose {node.name} works in groups of channels")
        self.constant(node, node.input[1], order, 1)
        self._bias(node, order)

    def _bias(self, node: NodeProto, order: np.ndarray) -> None:
        if len(node.input) > 2 and node.input[2]:
            self.constant(node, node.input[2], order, 0)

    def _quantizer(self, node: NodeProto, order: np.ndarray) -> None:
        self._per_channel(node, order, 1)
        self.activation(node, node.input[0], order)

    def _slopes(self, node: NodeProto, order: np.ndarray) -> None:
        self.constant(node, node.input[1], order, -3)
        self.activation(node, node.input[0], order)

    def _operands(self, node: NodeProto, order: np.ndarray) -> None:
        for name in node.input:
            if self.graph.constant(name) is not None:
                self.constant(node, name, order, -3)
            elif self._channels.get(name) != 1:  # one channel for all stays as it is
                self.activation(node, name, order)

    def _concat(self, node: NodeProto, order: np.ndarray) -> None:
        """Permute whole inputs of a Concat, as in an image repeated channel by channel."""
        sizes = [self._channels.get(name, 0) for name in node.input]
        if attribute(node, "axis") not in (1, -3) or sum(sizes) != len(order) or 0 in sizes:
            self._refuse(node, order)
        stops = np.cumsum(sizes)
        parts: list[int] = []
        at = 0
        while at < len(order):
            part = int(np.searchsorted(stops, order[at], side="right"))
            inside = np.arange(stops[part] - sizes[part], stops[part])
            if not np.array_equal(order[at : at + sizes[part]], inside):
                raise CannotPermuteError(f"Concat {node.name} would have to be cut inside one of its inputs")
            parts.append(part)
            at += sizes[part]
        self._concats.append((node, parts))

    def _depth_to_space(self, node: NodeProto, order: np.ndarray) -> None:
        block, mode = attribute(node, "blocksize"), attribute(node, "mode", "DCR")
        self.activation(node, node.input[0], in_blocks(order, block, mode))

    def _per_channel(self, node: NodeProto, order: np.ndarray, axis: int) -> None:
        scale, _ = self.graph.quantizer(node)
        if scale.ndim > 1:
            raise CannotPermuteError(f"{node.op_type} {node.name} has an encoding for each block of weights")
        if scale.size > 1 and attribute(node, "axis", 1) == axis:
            for name in node.input[1:]:
                self._initializer(node, name, order, 0)

    def _initializer(self, reader: NodeProto, name: str, order: np.ndarray, axis: int) -> None:
        self._planned.add((reader.output[0], name))
        size = self.graph.initializers[name].dims[axis]
        if size != len(order):
            raise CannotPermuteError(f"{name} has {size} entries, where {len(order)} channels are to change places")
        axis_before, order_before = self.initializers.setdefault(name, (axis, order))
        if axis_before != axis or not np.array_equal(order_before, order):
            raise CannotPermuteError(f"{name} is needed in two different orders")


def in_blocks(order: np.ndarray, block: int, mode: str) -> np.ndarray:
    """Return the order in front of a depth-to-space that permutes the channels behind it.

    Args:
        order: New output channel i is old output channel order[i].
        block: Block size.
        mode: "CRD" or "DCR".

    >>> in_blocks(np.array([1, 0]), 2, "CRD").tolist()
    [4, 5, 6, 7, 0, 1, 2, 3]
    """
    count = len(order)
    places = np.arange(block * block)
    if mode == "CRD":
        return (order[:, None] * block**2 + places).reshape(-1)
    return (places[:, None] * count + order).reshape(-1)


def channel_counts(graph: Graph) -> dict[str, int]:
    """Return the number of channels of every tensor with four dimensions; 0 if it is free."""
    shapes = shape_inference.infer_shapes(graph.model).graph
    values = (*shapes.value_info, *shapes.input, *shapes.output)
    dims = {value.name: value.type.tensor_type.shape.dim for value in values}
    return {name: dim[1].dim_value for name, dim in dims.items() if len(dim) == 4}


def unshare_constants(graph: Graph) -> None:
    """Give every reader of an array its own copy; the exporter stores equal parameters, such as zeros, once."""
    for node in graph.of_type("Identity"):
        if node.input[0] in graph.initializers:
            values = numpy_helper.to_array(graph.initializers[node.input[0]])
            graph.rewire(node.output[0], graph.add_initializer(node.output[0] + "_own", values))
    graph.prune()
    for name in [tensor.name for tensor in graph.initializers.values() if np.prod(tensor.dims) > 1]:
        values = numpy_helper.to_array(graph.initializers[name])
        for node in graph.consumers(name)[1:]:
            own = graph.add_initializer(f"{name}_{len(graph.initializers)}", values)
            for position, read in enumerate(node.input):
                if read == name:
                    node.input[position] = own
    graph.index()
