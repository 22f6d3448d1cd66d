"""Building blocks of the nets: addition and concatenation as modules, activations, the anchor, argument checks."""

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from sr.functional.collapse import anchor_kernel

ScaleT = TypeVar("ScaleT", int, float)
_ModuleT = TypeVar("_ModuleT", bound=nn.Module)

NUM_CHANNELS = {"rgb": 3, "y": 1}


class Add(nn.Module):
    """Add two tensors; a module, so that a quantizer can calibrate its output."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return `a + b`."""
        return a + b


class Concat(nn.Module):
    """Concatenate tensors along the channel axis; a module, so that a quantizer can calibrate its output."""

    def forward(self, *parts: Tensor) -> Tensor:
        """Concatenate tensors (N, C_i, h, w) to (N, sum of C_i, h, w)."""
        return torch.cat(parts, dim=1)


class Scale(nn.Module):
    """Multiply by a constant; a module, so that a quantizer can calibrate its output.

    Args:
        factor: The constant.
    """

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, features: Tensor) -> Tensor:
        """Return `factor * features`."""
        return features * self.factor


class Anchor(nn.Module):
    """Upscale by nearest neighbour with a 1x1 convolution; depth-to-space must follow.

    Output channel `c * block**2 + p` copies input channel `c`, the channel order of `nn.PixelShuffle`. It is a
    convolution and not a repeat, because the Hexagon compiler then keeps the memory layout of the neighbouring layers.

    Args:
        channels: Channels of the image, 3 for RGB and 1 for Y.
        block: Block size of the following depth-to-space.
        learnable: Whether training may change the weights.

    Source: the anchor of ABPN, arXiv 2105.09750.
    """

    def __init__(self, *, channels: int, block: int, learnable: bool) -> None:
        super().__init__()
        self.net = nn.Conv2d(channels, channels * block**2, kernel_size=1)
        with torch.no_grad():
            self.net.weight.copy_(anchor_kernel(channels, channels, block, kernel_size=1))
            nn.init.zeros_(bias_of(self.net))
        self.net.requires_grad_(learnable)

    def forward(self, image: Tensor) -> Tensor:
        """Repeat the channels of (N, C, h, w) to (N, C * block**2, h, w)."""
        return self.net(image)


def clip() -> nn.Hardtanh:
    """Make ReLU1, a clip to [0, 1], as the module class that quantizers and exporters recognise."""
    return nn.Hardtanh(0.0, 1.0)


def activation(net: str, name: str, channels: int) -> nn.Module:
    """Make an activation module. Call it once for each place in a net; modules must not be shared.

    Args:
        net: Name of the net, for the error message.
        name: "relu", "relu1" (clip to [0, 1]), "prelu" (one slope for each channel, 0.25 at the start) or "tanh".
        channels: Channels of the input; only PReLU needs it.

    Raises:
        ValueError: If the name is none of these.
    """
    check_choice(net, "activation", name, ("relu", "relu1", "prelu", "tanh"))
    if name == "relu1":
        return clip()
    if name == "prelu":
        return nn.PReLU(num_parameters=channels)
    return nn.ReLU() if name == "relu" else nn.Tanh()


def conv(in_channels: int, out_channels: int, kernel_size: int, *, groups: int = 1, bias: bool = True) -> nn.Conv2d:
    """Make a zero-padded convolution that keeps height and width, with PyTorch's default initialisation.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Side of the kernel in pixels, odd.
        groups: Number of channel groups; 1 is an ordinary convolution.
        bias: Whether each output channel has a bias.
    """
    padding = kernel_size // 2
    return nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, groups=groups, bias=bias)


def bias_of(layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    """Return the bias of a convolution that has one."""
    assert layer.bias is not None
    return layer.bias


def check_scale(net: str, got: float, allowed: Sequence[ScaleT]) -> ScaleT:
    """Return the entry of `allowed` that equals `got`, so that 2.0 becomes the integer 2.

    Args:
        net: Name of the net, for the error message.
        got: The given scale.
        allowed: The supported scales.

    Raises:
        ValueError: If the scale is not supported.

    Example:
        >>> check_scale("SESR", 2.0, (2, 3, 4))
        2
    """
    for scale in allowed:
        if scale == got:
            return scale
    listed = ", ".join(str(scale) for scale in allowed)
    raise ValueError(f"{net} cannot upscale by {got}: its scales are {listed}. Set `scale` to one of them.")


def check_choice(net: str, argument: str, got: str, allowed: Sequence[str]) -> str:
    """Return `got` if it is one of the allowed values of an argument.

    Args:
        net: Name of the net, for the error message.
        argument: Name of the argument.
        got: The given value.
        allowed: The allowed values.

    Raises:
        ValueError: If the value is not allowed.

    Example:
        >>> check_choice("ESPCN", "color", "y", ("y", "rgb"))
        'y'
    """
    if got not in allowed:
        raise ValueError(f"{net} does not know {argument}={got!r}: choose one of {', '.join(allowed)}.")
    return got


def check_count(net: str, argument: str, got: int, least: int) -> int:
    """Return `got` if it is an integer of at least `least`.

    Args:
        net: Name of the net, for the error message.
        argument: Name of the argument.
        got: The given count.
        least: The smallest allowed count.

    Raises:
        ValueError: If the count is smaller or not an integer.

    Example:
        >>> check_count("ESPCN", "f", 16, 1)
        16
    """
    if not isinstance(got, int) or isinstance(got, bool) or got < least:
        raise ValueError(f"{net} needs {argument} to be an integer of at least {least}, got {got!r}.")
    return got


def inference_form(net: _ModuleT) -> _ModuleT:
    """Return the net for inference: `net.collapse()` if the net has a training form, else the net itself.

    Args:
        net: A net of this package.

    Returns:
        A collapsed copy, which gives the same output and shares no tensor with `net`, or `net`.
    """
    collapse = getattr(net, "collapse", None)
    return collapse() if callable(collapse) else net
