"""Conversion of single ONNX operators to LiteRT: each function adds operators to the model and returns the value."""

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import NodeProto

from sr.export.graph.clips import bounds
from sr.export.graph.onnx_graph import Encoding, attribute
from sr.export.litert.builder import LiteRtBuilder, Value

_JOINS = {"Add": ("ADD", "AddOptions"), "Mul": ("MUL", "MulOptions")}
_FIXED_GRIDS = {
    "Sigmoid": ("LOGISTIC", 1 / 256, -128),
    "Tanh": ("TANH", 1 / 128, 0),
}  # the only grids that LiteRT supports
_SMALLEST_WEIGHT = -127  # LiteRT's kernels add two products in 16 bits, and (-128)*(-128)*2 would overflow


def _convolution(builder: LiteRtBuilder, node: NodeProto) -> Value:
    if attribute(node, "dilations", [1, 1]) != [1, 1]:
        raise builder.refusal(node, "it is dilated")
    weights, scales = builder.constant(node.input[1], (0, 2, 3, 1))
    image, same = _padded(builder, node, weights.shape[1:3])
    step_y, step_x = attribute(node, "strides", [1, 1])
    result = builder.result(node)
    inputs = [image.number, _weights(builder, node, weights, scales), _bias(builder, node, len(weights), scales)]
    settings = {"padding": builder.file.padding(same), "strideH": step_y, "strideW": step_x}
    builder.file.operator("CONV_2D", inputs, result.number, "Conv2DOptions", **settings)
    return result


def _weights(builder: LiteRtBuilder, node: NodeProto, weights: np.ndarray, scales: Any) -> int:
    if scales is None and builder.half:
        stored = builder.file.tensor(node.input[1], weights.shape, "float16", values=weights.astype(np.float16))
        real = builder.file.tensor(f"{node.input[1]}_real", weights.shape, "float32")
        return builder.file.operator("DEQUANTIZE", [stored], real, "DequantizeOptions")
    if scales is None:
        return builder.file.tensor(node.input[1], weights.shape, "float32", values=weights)
    integers = weights.astype(np.int8)  # also 4-bit weights: LiteRT's kernels unpack them to int8
    if num_smallest := int((integers < _SMALLEST_WEIGHT).sum()):
        integers = integers.clip(_SMALLEST_WEIGHT)
        builder.notes.append(f"LiteRT: {num_smallest} of {integers.size} weights of {node.name} were -128, now -127")
    each = _for_each(scales, len(integers))
    return builder.file.tensor(node.input[1], integers.shape, "int8", values=integers, scale=each)


def _bias(builder: LiteRtBuilder, node: NodeProto, count: int, scales: Any) -> int:
    name = f"{node.name}_bias"
    if scales is None:
        values = builder.constant(node.input[2], (0,))[0] if len(node.input) > 2 else np.zeros(count, np.float32)
        return builder.file.tensor(name, (count,), "float32", values=values)
    grid = builder.values[node.input[0]].grid
    assert grid is not None
    integers = builder.constant(node.input[2], (0,))[0] if len(node.input) > 2 else np.zeros(count, np.int32)
    accumulator = _for_each(scales, count).astype(np.float64) * grid.scale
    return builder.file.tensor(name, (count,), "int32", values=integers.astype(np.int32), scale=accumulator)


def _for_each(scales: np.ndarray, count: int) -> np.ndarray:
    return np.broadcast_to(np.atleast_1d(scales), (count,))


def _padded(builder: LiteRtBuilder, node: NodeProto, kernel: tuple[int, ...]) -> tuple[Value, bool]:
    """Return the image that a convolution or pooling reads, and whether LiteRT's own padding does the rest."""
    image = builder.values[node.input[0]]
    top, left, bottom, right = attribute(node, "pads", [0, 0, 0, 0])
    strides = attribute(node, "strides", [1, 1])
    if not any((top, left, bottom, right)):
        return image, False
    if strides == [1, 1] and [top, left, bottom, right] == [(side - 1) // 2 for side in kernel] * 2:
        return image, True
    count, height, width, channels = builder.shape(node.input[0])
    shape = (count, height + top + bottom, width + left + right, channels)
    margins = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
    added = builder.file.tensor(f"{node.name}_margins", (4, 2), "int32", values=margins)
    wider = builder.activation(f"{node.name}_padded", shape, image.grid)
    builder.file.operator("PAD", [image.number, added], wider.number, "PadOptions")
    return wider, False


def _pooling(builder: LiteRtBuilder, node: NodeProto) -> Value:
    height, width = attribute(node, "kernel_shape")
    step_y, step_x = attribute(node, "strides", [1, 1])
    if any(attribute(node, "pads", [0, 0, 0, 0])) or attribute(node, "ceil_mode", 0):
        raise builder.refusal(node, "it is padded")
    image = builder.values[node.input[0]]
    result = builder.activation(node.output[0], builder.shape(node.output[0]), image.grid)
    settings = {"filterHeight": height, "filterWidth": width, "strideH": step_y, "strideW": step_x}
    settings["padding"] = builder.file.padding(False)
    builder.file.operator("MAX_POOL_2D", [image.number], result.number, "Pool2DOptions", **settings)
    return result


def _depth_to_space(builder: LiteRtBuilder, node: NodeProto) -> Value:
    if attribute(node, "mode", "DCR") != "DCR" and builder.shape(node.output[0])[3] > 1:
        raise builder.refusal(node, "its channels are in CRD order, and what is in front of it cannot be permuted")
    return _moved(builder, node, "DEPTH_TO_SPACE", "DepthToSpaceOptions")


def _space_to_depth(builder: LiteRtBuilder, node: NodeProto) -> Value:
    return _moved(builder, node, "SPACE_TO_DEPTH", "SpaceToDepthOptions")


def _moved(builder: LiteRtBuilder, node: NodeProto, operator: str, options: str) -> Value:
    image = builder.values[node.input[0]]
    result = builder.activation(node.output[0], builder.shape(node.output[0]), image.grid)
    builder.file.operator(operator, [image.number], result.number, options, blockSize=attribute(node, "blocksize"))
    return result


def _join(builder: LiteRtBuilder, node: NodeProto) -> Value:
    operator, options = _JOINS[node.op_type]
    result = builder.result(node)
    if missing := [name for name in node.input if name not in builder.values]:
        raise builder.refusal(node, f"{', '.join(missing)} is a constant")
    inputs = [builder.values[name].number for name in node.input]
    builder.file.operator(operator, inputs, result.number, options)
    return result


def _concatenation(builder: LiteRtBuilder, node: NodeProto) -> Value:
    if attribute(node, "axis") != 1:
        raise builder.refusal(node, "it joins along another axis than the channels")
    result = builder.result(node)
    parts = [builder.values[name] for name in node.input]
    if result.grid is not None:  # LiteRT joins only integers of one grid
        shapes = [builder.shape(name) for name in node.input]
        named = [f"{node.name}_{i}" for i in range(len(parts))]
        parts = [
            builder.requantized(part, name, shape, result.grid)
            for part, name, shape in zip(parts, named, shapes, strict=True)
        ]
    numbers = [part.number for part in parts]
    builder.file.operator("CONCATENATION", numbers, result.number, "ConcatenationOptions", axis=3)
    return result


def _clip(builder: LiteRtBuilder, node: NodeProto) -> Value:
    if (value := builder.clipped(node)) is not None:
        return value
    low, high = bounds(builder.graph, node)
    operator = {(0.0, float("inf")): "RELU", (0.0, 1.0): "RELU_0_TO_1"}.get((low, high))
    if operator is None:
        raise builder.refusal(node, f"it clips to [{low}, {high}], LiteRT to [0, 1] and from 0 on")
    return _elementwise(builder, node, operator)


def _elementwise(builder: LiteRtBuilder, node: NodeProto, operator: str, options: str = "", **settings: Any) -> Value:
    result = builder.result(node)
    builder.file.operator(operator, [builder.values[node.input[0]].number], result.number, options, **settings)
    return result


def _leaky_relu(builder: LiteRtBuilder, node: NodeProto) -> Value:
    return _elementwise(builder, node, "LEAKY_RELU", "LeakyReluOptions", alpha=attribute(node, "alpha", 0.01))


def _prelu(builder: LiteRtBuilder, node: NodeProto) -> Value:
    slopes, scale = builder.constant(node.input[1], (1, 2, 0))
    if builder.portable:
        return _two_relus(builder, node, slopes)
    result = builder.result(node)
    dtype = "float32" if scale is None else "int8"
    number = builder.file.tensor(node.input[1], slopes.shape, dtype, values=slopes, scale=scale)
    builder.file.operator("PRELU", [builder.values[node.input[0]].number, number], result.number)
    return result


def _two_relus(builder: LiteRtBuilder, node: NodeProto, slopes: np.ndarray) -> Value:
    """Write relu(x) - slope * relu(-x), which has the bits of PReLU: one of the two terms is zero."""
    assert not builder.quantized, "LiteRt.check refuses schemes of integers"
    source, shape = builder.values[node.input[0]].number, builder.shape(node.output[0])
    factors = builder.file.tensor(node.input[1], slopes.shape, "float32", values=slopes)
    positive, turned, negative, scaled = (
        builder.activation(f"{node.name}_{name}", shape, None).number
        for name in ("positive", "turned", "negative", "scaled")
    )
    result = builder.result(node)
    builder.file.operator("RELU", [source], positive)
    builder.file.operator("NEG", [source], turned, "NegOptions")
    builder.file.operator("RELU", [turned], negative)
    builder.file.operator("MUL", [negative, factors], scaled, "MulOptions")
    builder.file.operator("SUB", [positive, scaled], result.number, "SubOptions")
    return result


def _squash(builder: LiteRtBuilder, node: NodeProto) -> Value:
    operator, scale, zero_point = _FIXED_GRIDS[node.op_type]
    wanted = builder.result(node)
    if wanted.grid is None:
        builder.file.operator(operator, [builder.values[node.input[0]].number], wanted.number)
        return wanted
    own = Encoding(scale, zero_point, "int8")
    made = builder.activation(f"{node.name}_own_grid", builder.shape(node.output[0]), own)
    builder.file.operator(operator, [builder.values[node.input[0]].number], made.number)
    builder.file.operator("QUANTIZE", [made.number], wanted.number, "QuantizeOptions")
    return wanted


CONVERTERS: dict[str, Callable[[LiteRtBuilder, NodeProto], Value]] = {
    "Add": _join,
    "Clip": _clip,
    "Concat": _concatenation,
    "Conv": _convolution,
    "DepthToSpace": _depth_to_space,
    "LeakyRelu": _leaky_relu,
    "MaxPool": _pooling,
    "Mul": _join,
    "PRelu": _prelu,
    "Relu": _clip,
    "Sigmoid": _squash,
    "SpaceToDepth": _space_to_depth,
    "Tanh": _squash,
}
