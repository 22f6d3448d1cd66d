"""ONNX operators as LiteRT's: one function each, which adds what is needed to the model and returns its value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import NodeProto

from sr.export.graph.clips import bounds
from sr.export.graph.onnx_graph import Encoding, attribute

if TYPE_CHECKING:
    from sr.export.litert.lowering import Lowering, Value

JOINS = {"Add": ("ADD", "AddOptions"), "Mul": ("MUL", "MulOptions")}
FIXED_GRIDS = {"Sigmoid": ("LOGISTIC", 1 / 256, -128), "Tanh": ("TANH", 1 / 128, 0)}  # LiteRT gives these on no other
SMALLEST_WEIGHT = -127  # LiteRT's: kernels add two products in 16 bits, where (-128)*(-128)*2 has no place


def _convolution(lowering: Lowering, node: NodeProto) -> Value:
    if attribute(node, "dilations", [1, 1]) != [1, 1]:
        raise lowering.refusal(node, "it is dilated")
    weights, scales = lowering.constant(node.input[1], (0, 2, 3, 1))
    image, same = _padded(lowering, node, weights.shape[1:3])
    step_y, step_x = attribute(node, "strides", [1, 1])
    result = lowering.result(node)
    inputs = [image.number, _weights(lowering, node, weights, scales), _bias(lowering, node, len(weights), scales)]
    settings = {"padding": lowering.file.padding(same), "strideH": step_y, "strideW": step_x}
    lowering.file.operator("CONV_2D", inputs, result.number, "Conv2DOptions", **settings)
    return result


def _weights(lowering: Lowering, node: NodeProto, weights: np.ndarray, scales: Any) -> int:
    if scales is None and lowering.half:
        stored = lowering.file.tensor(node.input[1], weights.shape, "float16", values=weights.astype(np.float16))
        real = lowering.file.tensor(f"{node.input[1]}_real", weights.shape, "float32")
        return lowering.file.operator("DEQUANTIZE", [stored], real, "DequantizeOptions")
    if scales is None:
        return lowering.file.tensor(node.input[1], weights.shape, "float32", values=weights)
    integers = weights.astype(np.int8)  # also those of 4 bits: LiteRT's kernels unpack them to these
    if num_smallest := int((integers < SMALLEST_WEIGHT).sum()):
        integers = integers.clip(SMALLEST_WEIGHT)
        lowering.notes.append(f"LiteRT: {num_smallest} of {integers.size} weights of {node.name} were -128, now -127")
    each = _for_each(scales, len(integers))
    return lowering.file.tensor(node.input[1], integers.shape, "int8", values=integers, scale=each)


def _bias(lowering: Lowering, node: NodeProto, count: int, scales: Any) -> int:
    name = f"{node.name}_bias"
    if scales is None:
        values = lowering.constant(node.input[2], (0,))[0] if len(node.input) > 2 else np.zeros(count, np.float32)
        return lowering.file.tensor(name, (count,), "float32", values=values)
    grid = lowering.values[node.input[0]].grid
    assert grid is not None
    integers = lowering.constant(node.input[2], (0,))[0] if len(node.input) > 2 else np.zeros(count, np.int32)
    accumulator = _for_each(scales, count).astype(np.float64) * grid.scale
    return lowering.file.tensor(name, (count,), "int32", values=integers.astype(np.int32), scale=accumulator)


def _for_each(scales: np.ndarray, count: int) -> np.ndarray:
    return np.broadcast_to(np.atleast_1d(scales), (count,))


def _padded(lowering: Lowering, node: NodeProto, kernel: tuple[int, ...]) -> tuple[Value, bool]:
    """The image that a convolution or pooling reads, and whether LiteRT's own padding does the rest."""
    image = lowering.values[node.input[0]]
    top, left, bottom, right = attribute(node, "pads", [0, 0, 0, 0])
    strides = attribute(node, "strides", [1, 1])
    if not any((top, left, bottom, right)):
        return image, False
    if strides == [1, 1] and [top, left, bottom, right] == [(side - 1) // 2 for side in kernel] * 2:
        return image, True
    count, height, width, channels = lowering.shape(node.input[0])
    shape = (count, height + top + bottom, width + left + right, channels)
    margins = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
    added = lowering.file.tensor(f"{node.name}_margins", (4, 2), "int32", values=margins)
    wider = lowering.activation(f"{node.name}_padded", shape, image.grid)
    lowering.file.operator("PAD", [image.number, added], wider.number, "PadOptions")
    return wider, False


def _pooling(lowering: Lowering, node: NodeProto) -> Value:
    height, width = attribute(node, "kernel_shape")
    step_y, step_x = attribute(node, "strides", [1, 1])
    if any(attribute(node, "pads", [0, 0, 0, 0])) or attribute(node, "ceil_mode", 0):
        raise lowering.refusal(node, "it is padded")
    image = lowering.values[node.input[0]]
    result = lowering.activation(node.output[0], lowering.shape(node.output[0]), image.grid)
    settings = {"filterHeight": height, "filterWidth": width, "strideH": step_y, "strideW": step_x}
    settings["padding"] = lowering.file.padding(False)
    lowering.file.operator("MAX_POOL_2D", [image.number], result.number, "Pool2DOptions", **settings)
    return result


def _depth_to_space(lowering: Lowering, node: NodeProto) -> Value:
    if attribute(node, "mode", "DCR") != "DCR" and lowering.shape(node.output[0])[3] > 1:
        raise lowering.refusal(node, "its channels are in CRD order, and what is in front of it cannot be permuted")
    return _moved(lowering, node, "DEPTH_TO_SPACE", "DepthToSpaceOptions")


def _space_to_depth(lowering: Lowering, node: NodeProto) -> Value:
    return _moved(lowering, node, "SPACE_TO_DEPTH", "SpaceToDepthOptions")


def _moved(lowering: Lowering, node: NodeProto, operator: str, options: str) -> Value:
    image = lowering.values[node.input[0]]
    result = lowering.activation(node.output[0], lowering.shape(node.output[0]), image.grid)
    lowering.file.operator(operator, [image.number], result.number, options, blockSize=attribute(node, "blocksize"))
    return result


def _join(lowering: Lowering, node: NodeProto) -> Value:
    operator, options = JOINS[node.op_type]
    result = lowering.result(node)
    if missing := [name for name in node.input if name not in lowering.values]:
        raise lowering.refusal(node, f"{', '.join(missing)} is a constant")
    inputs = [lowering.values[name].number for name in node.input]
    lowering.file.operator(operator, inputs, result.number, options)
    return result


def _concatenation(lowering: Lowering, node: NodeProto) -> Value:
    if attribute(node, "axis") != 1:
        raise lowering.refusal(node, "it joins along another axis than the channels")
    result = lowering.result(node)
    parts = [lowering.values[name] for name in node.input]
    if result.grid is not None:  # LiteRT joins integers of one grid only
        shapes = [lowering.shape(name) for name in node.input]
        named = [f"{node.name}_{i}" for i in range(len(parts))]
        parts = [
            lowering.requantized(part, name, shape, result.grid)
            for part, name, shape in zip(parts, named, shapes, strict=True)
        ]
    numbers = [part.number for part in parts]
    lowering.file.operator("CONCATENATION", numbers, result.number, "ConcatenationOptions", axis=3)
    return result


def _clip(lowering: Lowering, node: NodeProto) -> Value:
    if (value := lowering.clipped(node)) is not None:
        return value
    low, high = bounds(lowering.graph, node)
    operator = {(0.0, float("inf")): "RELU", (0.0, 1.0): "RELU_0_TO_1"}.get((low, high))
    if operator is None:
        raise lowering.refusal(node, f"it clips to [{low}, {high}], LiteRT to [0, 1] and from 0 on")
    return _elementwise(lowering, node, operator)


def _elementwise(lowering: Lowering, node: NodeProto, operator: str, options: str = "", **settings: Any) -> Value:
    result = lowering.result(node)
    lowering.file.operator(operator, [lowering.values[node.input[0]].number], result.number, options, **settings)
    return result


def _leaky_relu(lowering: Lowering, node: NodeProto) -> Value:
    return _elementwise(lowering, node, "LEAKY_RELU", "LeakyReluOptions", alpha=attribute(node, "alpha", 0.01))


def _prelu(lowering: Lowering, node: NodeProto) -> Value:
    slopes, scale = lowering.constant(node.input[1], (1, 2, 0))
    result = lowering.result(node)
    dtype = "float32" if scale is None else "int8"
    number = lowering.file.tensor(node.input[1], slopes.shape, dtype, values=slopes, scale=scale)
    lowering.file.operator("PRELU", [lowering.values[node.input[0]].number, number], result.number)
    return result


def _squash(lowering: Lowering, node: NodeProto) -> Value:
    operator, scale, zero_point = FIXED_GRIDS[node.op_type]
    wanted = lowering.result(node)
    if wanted.grid is None:
        lowering.file.operator(operator, [lowering.values[node.input[0]].number], wanted.number)
        return wanted
    own = Encoding(scale, zero_point, "int8")
    made = lowering.activation(f"{node.name}_own_grid", lowering.shape(node.output[0]), own)
    lowering.file.operator(operator, [lowering.values[node.input[0]].number], made.number)
    lowering.file.operator("QUANTIZE", [made.number], wanted.number, "QuantizeOptions")
    return wanted


CONVERTERS: dict[str, Callable[[Lowering, NodeProto], Value]] = {
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
