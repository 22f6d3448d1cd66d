"""Removal of whole layers: which ones can go, and the net without them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from torch import fx, nn

from sr.models.net import Net

_ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.Hardtanh, nn.Tanh, nn.Sigmoid)


@dataclass(frozen=True)
class Spare:
    """Layers that are removed together with a convolution.

    Attributes:
        layers: The convolution, its batch normalization and its activation.
        follower: The only convolution that reads their output, if there is one; refitting it reduces the error.
    """

    layers: list[str]
    follower: str | None


def spare_layers(net: Net) -> dict[str, Spare]:
    """Return the convolutions whose output has the shape of their input, which can therefore be removed.

    Args:
        net: Net in its inference form.

    Returns:
        Convolution -> layers removed with it, in the order of the forward pass.
    """
    nodes = list(fx.Tracer().trace(net).nodes)
    called = [str(node.target) for node in nodes if node.op == "call_module"]
    found: dict[str, Spare] = {}
    for node in nodes:
        if node.op == "call_module" and _keeps_shape(net.get_submodule(str(node.target))):
            found[str(node.target)] = _spare(net, node, called)
    return found


def without_layers(net: Net, names: Collection[str]) -> None:
    """Remove layers in place; the others keep their names.

    Args:
        net: Net in its inference form.
        names: Convolutions, as `spare_layers` lists them.

    Raises:
        ValueError: A layer does not exist or cannot be removed.
    """
    spare = spare_layers(net)
    for name in names:
        if name not in spare:
            raise ValueError(
                f"the layer {name} of {type(net).__name__} cannot be removed; these can: {', '.join(spare) or 'none'}"
            )
        for each in spare[name].layers:
            parent, _, child = each.rpartition(".")
            holder = net.get_submodule(parent)
            if isinstance(holder, nn.Sequential):
                delattr(holder, child)  # `del holder[i]` would rename the layers behind it
            else:
                setattr(holder, child, nn.Identity())


def _spare(net: Net, node: fx.Node, called: list[str]) -> Spare:
    """Follow a convolution as long as one layer alone reads the one before it."""
    layers = [str(node.target)]
    while len(node.users) == 1:
        (node,) = node.users
        name = str(node.target)
        if node.op != "call_module" or called.count(name) > 1:
            break
        layer = net.get_submodule(name)
        if isinstance(layer, nn.Conv2d):
            fits = called.count(layers[0]) == 1 and layer.groups == 1 and layer.weight.requires_grad
            return Spare(layers, name if fits and not isinstance(layer.padding, str) else None)
        activated = isinstance(net.get_submodule(layers[-1]), _ACTIVATIONS)
        if activated or not isinstance(layer, (nn.BatchNorm2d, *_ACTIVATIONS)):
            break
        layers.append(name)
    return Spare(layers, None)


def _keeps_shape(layer: nn.Module) -> bool:
    """Return whether a layer is a trainable convolution from (N, C, h, w) to (N, C, h, w)."""
    if not isinstance(layer, nn.Conv2d) or layer.in_channels != layer.out_channels or not layer.weight.requires_grad:
        return False
    if layer.padding == "same":
        return True
    return set(layer.stride) == {1} and list(layer.padding) == _same_padding(layer.kernel_size, layer.dilation)


def _same_padding(kernel: Sequence[int], dilation: Sequence[int]) -> list[float]:
    return [each * (size - 1) / 2 for size, each in zip(kernel, dilation, strict=True)]
