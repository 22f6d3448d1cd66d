"""Turn the forward of any net into modules that AIMET knows, by torch.fx; what cannot be turned is refused by name."""

import copy
import operator
import traceback
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from sr.models.blocks import Add, Concat, Scale
from sr.models.rfdn import Multiply

QUANTIZABLE = (
    nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.PixelShuffle, nn.PixelUnshuffle,
    nn.ReLU, nn.PReLU, nn.LeakyReLU, nn.Hardtanh, nn.Sigmoid, nn.Tanh, nn.MaxPool2d,
    Add, Concat, Multiply, Scale,
)  # fmt: skip
"""Modules that are quantized, exported and compared in the tests."""
NO_OPERATION = (nn.Identity, nn.Dropout, nn.Dropout2d)
SHUFFLE = "a convolution and nn.PixelShuffle; sr.models.blocks.Anchor repeats the pixels of the image"
ACTIVATION = "nn.ReLU, nn.PReLU or nn.LeakyReLU (and train again)"
REPLACEMENTS = {
    "GELU": ACTIVATION, "SiLU": ACTIVATION, "Mish": ACTIVATION, "ELU": ACTIVATION, "SELU": ACTIVATION,
    "Hardswish": ACTIVATION, "Softplus": ACTIVATION, "gelu": ACTIVATION, "silu": ACTIVATION, "elu": ACTIVATION,
    "LayerNorm": "nn.BatchNorm2d behind a convolution (and train again)",
    "GroupNorm": "nn.BatchNorm2d behind a convolution (and train again)",
    "InstanceNorm2d": "nn.BatchNorm2d behind a convolution (and train again)",
    "Upsample": SHUFFLE, "interpolate": SHUFFLE, "UpsamplingNearest2d": SHUFFLE, "UpsamplingBilinear2d": SHUFFLE,
    "Linear": "nn.Conv2d with kernel size 1", "conv2d": "nn.Conv2d with the weights",
    "prelu": "nn.PReLU with the weights", "sub": "a convolution with fixed weights",
    "pad": "the padding of the next nn.Conv2d",
}  # fmt: skip
OTHERWISE = "nn.Conv2d, nn.ConvTranspose2d, nn.PixelShuffle, activations, additions and concatenations"
ADDS = (operator.add, operator.iadd, torch.add, "add", "add_")
MULTIPLIES = (operator.mul, operator.imul, torch.mul, torch.multiply, "mul", "mul_")
CONCATENATES = (torch.cat, torch.concat, torch.concatenate)

_Made = tuple[nn.Module, tuple[Any, ...]]


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, QUANTIZABLE) or super().is_leaf_module(module, name)


def as_modules(net: nn.Module) -> fx.GraphModule:
    """Return a copy of a net in which every operation is a module of its own.

    Functional calls (`a + b`, `torch.relu`, `F.pixel_shuffle`, `torch.cat`, `x.clamp(0, 1)` ...) become modules, a
    module without weights that is called twice becomes two, and Identity and Dropout go.

    Args:
        net: In evaluation mode.

    Raises:
        ValueError: The forward decides by values of a tensor, or has operations that cannot be quantized; the message
            names all of them, and what to write instead.
    """
    net, tracer = copy.deepcopy(net), _Tracer()
    try:
        graph = tracer.trace(net)
    except Exception as error:  # fx raises TraceError, and what the forward raises for a symbolic tensor
        raise ValueError(_untraceable(net, error)) from error
    inputs = [str(node.target) for node in graph.nodes if node.op == "placeholder"]
    if len(inputs) > 1:
        raise ValueError(f"{type(net).__name__}.forward takes {', '.join(inputs)}; it must take the image alone")
    refused = []
    seen: set[str] = set()
    for node in list(graph.nodes):
        try:
            _convert(net, graph, node, seen)
        except ValueError as error:
            refused.append(str(error))
    if refused:
        raise ValueError(f"{type(net).__name__} cannot be quantized: {'; '.join(dict.fromkeys(refused))}")
    graph.lint()
    made = fx.GraphModule(net, graph, type(net).__name__)
    made.delete_all_unused_submodules()
    return made.eval()


def _untraceable(net: nn.Module, error: Exception) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/torch/" not in frame.filename]
    where = f" (line {frames[-1].lineno}: {frames[-1].line})" if frames and frames[-1].name == "forward" else ""
    reason = " ".join(str(error).split())[:160]
    return (
        f"{type(net).__name__}.forward has dynamic control flow or reads values of a tensor{where}: {reason}; write a "
        "forward that does the same for every image, with sizes and choices fixed in the constructor"
    )


def _convert(net: nn.Module, graph: fx.Graph, node: fx.Node, seen: set[str]) -> None:
    """Convert one node of the graph in place."""
    if node.op == "call_module":
        _convert_module(net, graph, node, seen)
    elif node.op in ("call_function", "call_method"):
        module, inputs = _module_of(node)
        _put(net, graph, node, module, inputs)
    elif node.op == "get_attr":
        raise ValueError(f"the tensor {node.target} is used directly; put it into a convolution, or into nn.PReLU")


def _convert_module(net: nn.Module, graph: fx.Graph, node: fx.Node, seen: set[str]) -> None:
    name = str(node.target)
    module = net.get_submodule(name)
    if isinstance(module, NO_OPERATION):
        node.replace_all_uses_with(node.all_input_nodes[0])
        graph.erase_node(node)
    elif type(module) is nn.ReLU6:
        _put(net, graph, node, nn.Hardtanh(0.0, 6.0), node.args)
    elif type(module) not in QUANTIZABLE:
        kind = type(module).__name__
        raise ValueError(f"{name} ({kind}): write {REPLACEMENTS.get(kind, OTHERWISE)} instead")
    elif name not in seen:
        seen.add(name)
    elif next(module.parameters(), None) is not None:
        raise ValueError(f"{name} ({type(module).__name__}) is called twice; give each call a layer of its own")
    else:
        _put(net, graph, node, copy.deepcopy(module), node.args)


def _put(net: nn.Module, graph: fx.Graph, node: fx.Node, module: nn.Module, inputs: tuple[Any, ...]) -> None:
    """Replace a node by the call of a new module."""
    name = f"op_{node.name}"
    while hasattr(net, name):
        name += "_"
    net.add_module(name, module)
    with graph.inserting_before(node):
        new = graph.call_module(name, inputs)
    node.replace_all_uses_with(new)
    graph.erase_node(node)


def _module_of(node: fx.Node) -> _Made:
    """Return the module that does what a functional call does, and its inputs.

    Raises:
        ValueError: There is none.
    """
    if node.target in ADDS or node.target in MULTIPLIES:
        return _join(node)
    if node.target in CONCATENATES:
        dim = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)
        if dim not in (1, -3):
            raise ValueError(f"{node.name} concatenates along axis {dim}; only channels (dim=1) can be joined")
        parts: Any = node.args[0] if node.args else node.kwargs["tensors"]
        return Concat(), tuple(parts)
    make = ELEMENTWISE.get(node.target)
    if make is None:
        kind = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
        raise ValueError(f"{kind} ({node.name}): write {REPLACEMENTS.get(kind, OTHERWISE)} instead")
    values = {key: value for key, value in node.kwargs.items() if key not in ("input", "inplace", "training")}
    image = node.args[0] if node.args else node.kwargs["input"]
    try:
        return make(*node.args[1:], **values), (image,)
    except TypeError as error:
        raise ValueError(f"{node.name}: {error}; give plain numbers") from error


def _join(node: fx.Node) -> _Made:
    arguments: Any = node.args
    both = [part for part in arguments if isinstance(part, fx.Node)]
    adds = node.target in ADDS
    if node.kwargs:
        raise ValueError(f"{node.name} has the options {', '.join(node.kwargs)}; write it without")
    if len(both) == 2:
        return (Add() if adds else Multiply()), tuple(both)
    (number,) = [part for part in arguments if not isinstance(part, fx.Node)]
    if adds:
        raise ValueError(f"{node.name} adds the constant {number}; put it into the bias of the next convolution")
    return Scale(float(number)), tuple(both)


def _clamp(min: float, max: float) -> nn.Module:
    return nn.Hardtanh(float(min), float(max))


def _relu(inplace: bool = False) -> nn.Module:
    return nn.ReLU()


def _relu6(inplace: bool = False) -> nn.Module:
    return nn.Hardtanh(0.0, 6.0)


def _hardtanh(min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> nn.Module:
    return nn.Hardtanh(min_val, max_val)


def _leaky_relu(negative_slope: float = 0.01, inplace: bool = False) -> nn.Module:
    return nn.LeakyReLU(negative_slope)


ELEMENTWISE: dict[Any, Callable[..., nn.Module]] = {
    **dict.fromkeys((F.relu, torch.relu, torch.relu_, "relu", "relu_"), _relu),
    **dict.fromkeys((torch.clamp, torch.clip, "clamp", "clamp_", "clip"), _clamp),
    **dict.fromkeys((torch.sigmoid, F.sigmoid, "sigmoid"), nn.Sigmoid),
    **dict.fromkeys((torch.tanh, F.tanh, "tanh"), nn.Tanh),
    **dict.fromkeys((F.pixel_shuffle, torch.pixel_shuffle), nn.PixelShuffle),
    **dict.fromkeys((F.pixel_unshuffle, torch.pixel_unshuffle), nn.PixelUnshuffle),
    F.relu6: _relu6,
    F.hardtanh: _hardtanh,
    F.leaky_relu: _leaky_relu,
}
"""Function or method -> what makes a module of its further arguments."""
