"""Net with fewer layers and channels: physically smaller, and ordinary in every other respect."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor, nn

from sr.models.blocks import inference_form
from sr.models.net import Net
from sr.pruning.dependency_graph import CHANNELWISE_LAYERS, CONV_LAYERS, IMAGE, Channels
from sr.pruning.layer_removal import without_layers

Widths = Mapping[str, int]


def narrow(*, net: Net, removed: Sequence[str], widths: Widths) -> Net:
    """Make an untrained net shallower and narrower: the result of filter pruning, without its weights.

    Args:
        net: The wide net; its inference form is changed in place.
        removed: Layers to remove (`sr.pruning.layer_removal`); the others keep their names.
        widths: Group of channels, named by its first layer (`dependency_graph`) -> number that remains; others stay.

    Raises:
        ValueError: A layer or a group does not exist, or has fewer channels than asked for.
    """
    net = inference_form(net)
    without_layers(net, removed)
    channels = Channels(net)
    groups = {group.name: group.features for group in channels.groups()}
    for name, count in widths.items():
        if not 1 <= count <= len(groups.get(name, [])):
            there = ", ".join(f"{known} ({len(features)})" for known, features in groups.items())
            raise ValueError(f"widths has {name}: {count}; groups of {type(net).__name__} and their channels: {there}")
    kept = {feature for name, features in groups.items() for feature in features[: widths.get(name, len(features))]}
    remove_channels(net, channels, kept)
    return net


@torch.no_grad()
def remove_channels(net: nn.Module, channels: Channels, kept: Collection[int]) -> None:
    """Remove, in place, the channels of all features except the kept ones and those that always stay.

    Args:
        net: Net in its inference form.
        channels: Features of this net.
        kept: Features to keep.
    """
    stay = {IMAGE, *kept}
    for name, labels in channels.inputs.items():
        layer = net.get_submodule(name)
        inside = torch.tensor([i for i, label in enumerate(labels) if label in stay])
        if isinstance(layer, CONV_LAYERS):
            outputs = channels.outputs[name]
            outside = torch.tensor([i for i, label in enumerate(outputs) if label in stay])
            _cut_convolution(layer, inside, outside)
        elif isinstance(layer, CHANNELWISE_LAYERS):
            _cut_channelwise(layer, inside)


def _cut_convolution(layer: nn.Conv2d | nn.ConvTranspose2d, inside: Tensor, outside: Tensor) -> None:
    if layer.groups > 1:
        return  # all its channels stay
    rows, columns = (inside, outside) if isinstance(layer, nn.ConvTranspose2d) else (outside, inside)
    layer.weight = _like(layer.weight, layer.weight[rows][:, columns])
    if layer.bias is not None:
        layer.bias = _like(layer.bias, layer.bias[outside])
    layer.in_channels, layer.out_channels = len(inside), len(outside)


def _cut_channelwise(layer: nn.Module, kept: Tensor) -> None:
    for name, parameter in layer.named_parameters():
        if len(parameter) > 1 or isinstance(layer, nn.BatchNorm2d):
            setattr(layer, name, _like(parameter, parameter[kept]))
    for name, buffer in layer.named_buffers():
        if buffer.dim():
            setattr(layer, name, buffer[kept].clone())
    if isinstance(layer, nn.BatchNorm2d):
        layer.num_features = len(kept)
    elif isinstance(layer, nn.PReLU):
        layer.num_parameters = len(layer.weight)


def _like(parameter: Tensor, value: Tensor) -> nn.Parameter:
    return nn.Parameter(value.clone(), requires_grad=parameter.requires_grad)
