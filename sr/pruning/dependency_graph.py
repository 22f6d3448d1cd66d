"""Channel dependency graph: which channels must be removed together, through sums, concatenations and depth-to-space.

A *feature* is a set of channels, over all layers, that can only be removed together: the i-th channel of every
convolution that a residual sums up, or the s * s channels that depth-to-space merges into one. The features of the same
layers are a *group*. Channels of the image, of frozen layers and of grouped convolutions always stay.

This is written by hand because Torch-Pruning does not follow PixelShuffle (its issues #98 and #420).
"""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import fx, nn

from sr.models.blocks import NUM_CHANNELS
from sr.models.net import Net

IMAGE = 0
"""The feature of all channels that stay whatever happens."""
CONV_LAYERS = (nn.Conv2d, nn.ConvTranspose2d)
CHANNELWISE_LAYERS = (nn.PReLU, nn.BatchNorm2d)
_POINTWISE_MODULES = (
    nn.ReLU, nn.LeakyReLU, nn.Hardtanh, nn.Tanh, nn.Sigmoid, nn.MaxPool2d, nn.AvgPool2d, nn.Upsample, nn.Identity,
)  # fmt: skip
_POINTWISE = {"relu", "sigmoid", "tanh", "mean", "square", "sqrt", "clamp", "interpolate", "max_pool2d", "contiguous"}
_JOINING = {operator.add, operator.sub, operator.mul, torch.add, torch.sub, torch.mul}

Labels = list[int]


@dataclass(frozen=True)
class Group:
    """Features of the same layers.

    Attributes:
        name: The first of these layers.
        features: Features in the order of its channels.
    """

    name: str
    features: list[int]


class Channels:
    """Features of the layers of a net.

    Args:
        net: Net in its inference form.

    Raises:
        ValueError: It is unknown which channels an operation joins.

    Attributes:
        outputs: Layer -> feature of each of its output channels.
        inputs: Layer -> feature of each input channel; for PReLU and batch normalization that of the channels they
            pass.
    """

    def __init__(self, net: Net) -> None:
        self._parents = [IMAGE]
        self._net = net
        self.outputs: dict[str, Labels] = {}
        self.inputs: dict[str, Labels] = {}
        values: dict[fx.Node, Labels | None] = {}
        for node in fx.Tracer().trace(net).nodes:
            values[node] = self._follow(node, values)
        for table in (self.outputs, self.inputs):
            for name, labels in table.items():
                table[name] = [self._root(label) for label in labels]

    def groups(self) -> list[Group]:
        """Return the features that can be removed, by group, in the order of the layers."""
        names: dict[int, str] = {}
        found: dict[str, dict[int, None]] = {}
        for layer, labels in self.outputs.items():
            free = dict.fromkeys(label for label in labels if label != IMAGE)
            known = {names[label] for label in free if label in names}
            name = min(known, key=list(found).index) if known else layer
            for other in known - {name}:
                found[name] |= found.pop(other)
            found.setdefault(name, {}).update(free)
            names |= dict.fromkeys(found[name], name)
        return [Group(name, list(features)) for name, features in found.items() if features]

    def _follow(self, node: fx.Node, values: Mapping[fx.Node, Labels | None]) -> Labels | None:
        """Return the features of a node's output; None if it is no image, such as a size."""
        given = [values[each] for each in node.all_input_nodes]
        tensors = [labels for labels in given if labels is not None]
        if node.op == "placeholder":
            return [IMAGE] * NUM_CHANNELS[self._net.color]
        if node.op == "output":
            self._join(IMAGE, *(label for labels in tensors for label in labels))
            return None
        if not tensors:
            return None
        if node.op == "call_module":
            return self._through(str(node.target), tensors[0])
        return self._computed(node, tensors)

    def _through(self, name: str, labels: Labels) -> Labels:
        """Return the features behind a layer."""
        layer = self._net.get_submodule(name)
        if isinstance(layer, CONV_LAYERS):
            return self._convolved(name, layer, labels)
        if isinstance(layer, CHANNELWISE_LAYERS):
            self.inputs[name] = labels
            return labels
        if isinstance(layer, nn.PixelShuffle):
            size = layer.upscale_factor**2
            return [self._join(*labels[at : at + size]) for at in range(0, len(labels), size)]
        if isinstance(layer, nn.PixelUnshuffle):
            return [label for label in labels for _ in range(layer.downscale_factor**2)]
        if isinstance(layer, _POINTWISE_MODULES):
            return labels
        raise self._unknown(f"{name} ({type(layer).__name__})")

    def _convolved(self, name: str, layer: nn.Conv2d | nn.ConvTranspose2d, labels: Labels) -> Labels:
        again = name in self.outputs
        outputs = self.outputs[name] if again else self._new(layer.out_channels)
        if again:
            for ours, theirs in zip(self.inputs[name], labels, strict=True):
                self._join(ours, theirs)
        if layer.groups > 1 or not layer.weight.requires_grad:
            self._join(IMAGE, *labels, *outputs)
        self.inputs[name], self.outputs[name] = labels, outputs
        return outputs

    def _computed(self, node: fx.Node, tensors: Sequence[Labels]) -> Labels | None:
        """Return the features behind a function or a method."""
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
        if node.target is getattr or name in ("size", "dim"):
            return None
        if node.target is torch.cat:
            dim = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)
            if dim == 1:
                return [label for labels in self._concatenated(node, tensors) for label in labels]
        elif node.target in _JOINING:
            return self._joined(tensors)
        elif name in _POINTWISE or node.target in (F.interpolate, F.relu):
            return tensors[0]
        raise self._unknown(name)

    def _concatenated(self, node: fx.Node, tensors: Sequence[Labels]) -> list[Labels]:
        """Return the features of the concatenated tensors; a tensor that occurs twice is listed twice."""
        by_node = dict(zip(node.all_input_nodes, tensors, strict=True))
        parts: Any = node.args[0] if node.args else node.kwargs["tensors"]
        return [by_node[part] for part in parts]

    def _joined(self, tensors: Sequence[Labels]) -> Labels:
        """Join tensors that are added or multiplied channel by channel; one channel for many has to stay."""
        widest = max(tensors, key=len)
        for labels in tensors:
            if len(labels) != len(widest):
                self._join(IMAGE, *labels)
                continue
            for ours, theirs in zip(widest, labels, strict=True):
                self._join(ours, theirs)
        return widest

    def _new(self, count: int) -> Labels:
        first = len(self._parents)
        self._parents += range(first, first + count)
        return list(range(first, first + count))

    def _root(self, label: int) -> int:
        while self._parents[label] != label:
            label = self._parents[label]
        return label

    def _join(self, *labels: int) -> int:
        """Merge features into the oldest one and return it."""
        roots = {self._root(label) for label in labels}
        first = min(roots)
        for root in roots:
            self._parents[root] = first
        return first

    def _unknown(self, what: str) -> ValueError:
        return ValueError(
            f"filters of {type(self._net).__name__} cannot be pruned: it is not known which channels {what} joins; "
            "teach it to sr/pruning/dependency_graph.py"
        )
