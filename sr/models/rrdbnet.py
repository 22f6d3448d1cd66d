"""RRDBNet: the generator of ESRGAN, residual-in-residual dense blocks without batch normalization.

Paper: ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks, arXiv 1809.00219, section 3.1, figure 4. Also
the ESRGAN row of the MESRGAN poster's table 1. Upstream: xinntao/ESRGAN and BasicSR (Apache-2.0): 16,697,987
parameters.

Deviations:
- The paper has x4 only, with two nearest-neighbour upscalings of 2; x2 and x3 here have one.
- `standardized` standardizes the pixels with the mean and deviation of the training set, as the poster does.
"""

import copy
from collections.abc import Callable
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from sr.models.blocks import Add, Concat, Scale, bias_of, check_count, check_scale, conv
from sr.models.net import Net
from sr.models.standardization import fold_into, pixel_layer

_NAME = "RRDBNet"
_SCALES = (2, 3, 4)
RRDB_SLOPE = 0.2  # negative slope of every LeakyReLU
RESIDUAL_SCALE = 0.2  # factor of the residual of each dense block, and of each RRDB
_INIT_SCALE = 0.1  # factor of the initial weights in dense blocks: section 3.1, "smaller initialization"

MakeConv = Callable[[int, int], nn.Module]
"""Constructor (input channels, output channels) -> a layer that keeps height and width."""


class DenseBlock(nn.Module):
    """Dense block: five layers that each read the input and all previous outputs, and a scaled residual.

    Args:
        f: Channels of the block's input and output.
        growth: Channels added by each of the first four layers.
        layer: Constructor of a layer; a 3x3 convolution in ESRGAN.
    """

    def __init__(self, f: int, growth: int, layer: MakeConv) -> None:
        super().__init__()
        self.layers = nn.ModuleList([layer(f + i * growth, growth) for i in range(4)])
        self.activations = nn.ModuleList([nn.LeakyReLU(RRDB_SLOPE) for _ in range(4)])
        self.concats = nn.ModuleList([Concat() for _ in range(4)])
        self.last = layer(f + 4 * growth, f)
        self.shrink: Scale | None = Scale(RESIDUAL_SCALE)
        self.add = Add()

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, f, h, w) to the same shape."""
        known, seen = [features], features
        for layer, activation, concat in zip(self.layers, self.activations, self.concats, strict=True):
            known.append(activation(layer(seen)))
            seen = concat(*known)
        residual = self.last(seen)
        return self.add(residual if self.shrink is None else self.shrink(residual), features)

    @torch.no_grad()
    def fold(self) -> None:
        """Fold the constant factor into the last convolution, in place; a second call changes nothing."""
        if self.shrink is None:
            return
        last = [layer for layer in self.last.modules() if isinstance(layer, nn.Conv2d)][-1]
        for parameter in last.parameters(recurse=False):
            parameter.mul_(RESIDUAL_SCALE)
        self.shrink = None


class RRDB(nn.Module):
    """Residual-in-residual dense block: three dense blocks and a scaled residual.

    Args:
        f: Channels of the block's input and output.
        growth: Channels added by each layer of a dense block.
        layer: Constructor of a layer.
    """

    def __init__(self, f: int, growth: int, layer: MakeConv) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*[DenseBlock(f, growth, layer) for _ in range(3)])
        self.shrink = Scale(RESIDUAL_SCALE)
        self.add = Add()

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, f, h, w) to the same shape."""
        return self.add(self.shrink(self.blocks(features)), features)


class RRDBNet(Net):
    """Upscale with conv 3 -> f, m RRDBs with a long skip, nearest-neighbour upscaling with convs, two convs to RGB.

    Args:
        scale: 2, 3 or 4; x4 takes two steps of x2.
        f: Feature channels; 64 in the paper.
        growth: Channels added by each layer of a dense block; 32 in the paper.
        m: Number of RRDBs; 23 in the paper.
        standardized: Whether to standardize pixels to mean 0 and deviation 1 (`sr.models.standardization`).

    Raises:
        ValueError: If a scale or count is not supported.
    """

    name = _NAME

    def __init__(self, *, scale: float, f: int, growth: int, m: int, standardized: bool) -> None:
        super().__init__()
        self.scale: int = check_scale(self.name, scale, _SCALES)
        for argument, count in (("f", f), ("growth", growth), ("m", m)):
            check_count(self.name, argument, count, 1)
        self.color = "rgb"
        self.size_multiple = 1
        self.standardize = pixel_layer(standardized)
        self.head = conv(3, f, 3)
        self.body = nn.Sequential(*[RRDB(f, growth, self.layer()) for _ in range(m)], conv(f, f, 3))
        self.add = Add()
        self.upsampler = _upsampler(f, self.scale)
        self.tail = nn.Sequential(conv(f, f, 3), nn.LeakyReLU(RRDB_SLOPE), conv(f, 3, 3))
        self.destandardize = pixel_layer(standardized)

    def layer(self) -> MakeConv:
        """Return the constructor of a dense block's layer: a 3x3 convolution with small initial weights."""
        return partial(small_start, conv, 3)

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1] to sr (N, 3, s*h, s*w), not clipped."""
        first = self.head(lr if self.standardize is None else self.standardize(lr))
        sr = self.tail(self.upsampler(self.add(self.body(first), first)))
        return sr if self.destandardize is None else self.destandardize(sr)

    @torch.no_grad()
    def collapse(self) -> "RRDBNet":
        """Return a copy for inference, with constant factors and the destandardization folded into convolutions."""
        net = copy.deepcopy(self)
        for block in net.modules():
            if isinstance(block, DenseBlock):
                block.fold()
        if net.destandardize is not None:
            fold_into(cast(nn.Conv2d, net.tail[-1]), net.destandardize)
            net.destandardize = None
        return net


@torch.no_grad()
def small_start(
    make: Callable[..., nn.Conv2d], kernel_size: int, channels: int, out_channels: int, **options: int
) -> nn.Conv2d:
    """Make a convolution with He-normal weights times 0.1 and zero biases, so that each residual starts near zero.

    Args:
        make: Constructor of the convolution: (channels, out_channels, kernel_size, **options).
        kernel_size: Side of the kernel in pixels.
        channels: Channels of the input.
        out_channels: Channels of the output.
        **options: Further arguments of `make`.
    """
    layer = make(channels, out_channels, kernel_size, **options)
    nn.init.kaiming_normal_(layer.weight)
    layer.weight.mul_(_INIT_SCALE)
    nn.init.zeros_(bias_of(layer))
    return layer


def _upsampler(f: int, scale: int) -> nn.Sequential:
    """Make the upsampler: nearest-neighbour upscalings, each followed by a convolution and LeakyReLU."""
    layers: list[nn.Module] = []
    for factor in [2, 2] if scale == 4 else [scale]:
        layers += [nn.Upsample(scale_factor=factor, mode="nearest"), conv(f, f, 3), nn.LeakyReLU(RRDB_SLOPE)]
    return nn.Sequential(*layers)
