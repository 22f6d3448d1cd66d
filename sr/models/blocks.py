"""Parts shared by two or more nets: joins as modules, activations by name, the anchor, argument checks."""

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from sr.functional.collapse import anchor_kernel

ScaleT = TypeVar("ScaleT", int, float)
ModuleT = TypeVar("ModuleT", bound=nn.Module)

NUM_CHANNELS = {"rgb": 3, "y": 1}


class Add(nn.Module):
    """Sum of two tensors, as a module of its own so that a quantizer sees it and can observe its output."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return `a + b`."""
        return a + b


class Concat(nn.Module):
    """Concatenation along the channel axis, as a module of its own so that a quantizer sees it."""

    def forward(self, *parts: Tensor) -> Tensor:
        """Join tensors of shapes (N, C_i, h, w) into (N, sum of C_i, h, w)."""
        return torch.cat(parts, dim=1)


class Scale(nn.Module):
    """Multiplication by a constant, as a module of its own so that a quantizer sees it.

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
    """Nearest-neighbour upscaling as a 1x1 convolution in front of depth-to-space.

    Output channel `c * block**2 + p` copies input channel `c`, which is the order that `nn.PixelShuffle` reads.
    A convolution rather than a repeat, because the Hexagon compiler runs it in the same layout as its neighbours.

    Args:
        channels: Channels of the image, 3 for RGB and 1 for Y.
        block: Block size of the depth-to-space that follows.
        learnable: True lets training change the copy, False freezes it.

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
        """Copy (N, C, h, w) into (N, C * block**2, h, w)."""
        return self.net(image)


def clip() -> nn.Hardtanh:
    """Make a clip to [0, 1], the field's ReLU1, as the module class that quantizers and exporters look for."""
    return nn.Hardtanh(0.0, 1.0)


def activation(net: str, name: str, channels: int) -> nn.Module:
    """Make one activation module; call it once for each place in a net, never share the result.

    Args:
        net: Name of the net, for the error.
        name: "relu", "relu1" (clip to [0, 1]), "prelu" (one slope for each channel, 0.25 at the start) or "tanh".
        channels: Channels that pass through; only PReLU needs it.

    Raises:
        ValueError: for another name.
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
        groups: Groups that do not see each other; 1 is an ordinary convolution.
        bias: Whether each output channel has a bias.
    """
    padding = kernel_size // 2
    return nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, groups=groups, bias=bias)


def bias_of(layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    """The bias of a convolution that was made with one."""
    assert layer.bias is not None
    return layer.bias


def check_scale(net: str, got: float, allowed: Sequence[ScaleT]) -> ScaleT:
    """Return the entry of `allowed` that equals `got` (so 2.0 becomes the integer 2).

    Args:
        net: Name of the net, for the error.
        got: The scale asked for.
        allowed: The scales that the net can do.

    Raises:
        ValueError: when there is none.

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
    """Return `got` if it is one of the words that an argument knows.

    Args:
        net: Name of the net, for the error.
        argument: Name of the argument.
        got: The word asked for.
        allowed: The words known.

    Raises:
        ValueError: for another word.
    """
    if got not in allowed:
        raise ValueError(f"{net} does not know {argument}={got!r}: choose one of {', '.join(allowed)}.")
    return got


def check_count(net: str, argument: str, got: int, least: int) -> int:
    """Return `got` if it is an integer of at least `least`.

    Args:
        net: Name of the net, for the error.
        argument: Name of the argument.
        got: The count asked for.
        least: The smallest count that makes sense.

    Raises:
        ValueError: for a smaller one or something that is no integer.
    """
    if not isinstance(got, int) or isinstance(got, bool) or got < least:
        raise ValueError(f"{net} needs {argument} to be an integer of at least {least}, got {got!r}.")
    return got


def inference_form(net: ModuleT) -> ModuleT:
    """Return the net that is deployed: `net.collapse()` where a net trains in another form, else the net itself.

    Args:
        net: A net of this package. A collapsed copy gives the same image and shares nothing with it.
    """
    collapse = getattr(net, "collapse", None)
    return collapse() if callable(collapse) else net
