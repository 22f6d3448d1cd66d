"""EDSR: residual blocks without batch normalization, the heavy reference net.

Paper: Enhanced Deep Residual Networks for Single Image Super-Resolution, arXiv 1707.02921; table 1 (both
sizes) and table 3 (PSNR), and the EDSR row of QuickSRNet's table 3 (arXiv 2303.04336), whose 32.21 dB on BSD100 x2 is
the baseline's. Upstream: sanghyun-son/EDSR-PyTorch (MIT).

Deviations:
- Pixels are in [0, 1] instead of [0, 255]: the same function after scaling biases and mean by 255.
- The collapsed net has the residual scaling inside its convolutions and the mean of the output inside the last bias.
"""

import copy
from typing import cast

import torch
from torch import Tensor, nn

from sr.functional.collapse import fold_squeeze
from sr.models.blocks import Add, bias_of, check_count, check_scale, conv
from sr.models.net import Net

NAME = "EDSR"
SCALES = (2, 3, 4)
DIV2K_MEAN = (0.4488, 0.4371, 0.4040)  # RGB mean of DIV2K's training images, as in upstream


class ResidualBlock(nn.Module):
    """Conv, ReLU, conv, times a constant, plus the input.

    Args:
        f: Feature channels.
        residual_scale: The constant.
    """

    def __init__(self, f: int, residual_scale: float) -> None:
        super().__init__()
        self.residual_scale = residual_scale
        self.conv1 = conv(f, f, 3)
        self.relu = nn.ReLU()
        self.conv2 = conv(f, f, 3)
        self.add = Add()

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape (N, f, h, w)."""
        residual = self.conv2(self.relu(self.conv1(features)))
        if self.residual_scale != 1:
            residual = residual * self.residual_scale
        return self.add(residual, features)

    @torch.no_grad()
    def fold(self) -> None:
        """Move the constant into the second convolution, in place."""
        for parameter in self.conv2.parameters():
            parameter.mul_(self.residual_scale)
        self.residual_scale = 1.0


class EDSR(Net):
    """Mean out, conv 3 -> f, m residual blocks and a conv with a long skip, sub-pixel upscaling, conv f -> 3, mean in.

    Args:
        scale: 2, 3 or 4; 4 is done in two steps of 2.
        f: Feature channels; 64 (baseline) or 256.
        m: Residual blocks; 16 (baseline) or 32.
        residual_scale: Constant that multiplies each block's residual; 1 (baseline) or 0.1, without which 256
            channels do not train stably (section 3.2).

    Raises:
        ValueError: for a scale or count that it does not know.
    """

    def __init__(self, *, scale: float, f: int, m: int, residual_scale: float) -> None:
        super().__init__()
        self.scale: int = check_scale(NAME, scale, SCALES)
        check_count(NAME, "f", f, 1)
        check_count(NAME, "m", m, 1)
        self.color = "rgb"
        self.size_multiple = 1
        self.subtract_mean = _mean_shift(-1.0)
        self.head = conv(3, f, 3)
        self.body = nn.Sequential(*[ResidualBlock(f, residual_scale) for _ in range(m)], conv(f, f, 3))
        self.add = Add()
        self.upsampler = _upsampler(f, self.scale)
        self.tail = conv(f, 3, 3)
        self.add_mean: nn.Conv2d | None = _mean_shift(1.0)

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1] to sr (N, 3, s*h, s*w), not clipped."""
        first = self.head(self.subtract_mean(lr))
        features = self.add(self.body(first), first)
        sr = self.tail(self.upsampler(features))
        return sr if self.add_mean is None else self.add_mean(sr)

    @torch.no_grad()
    def collapse(self) -> "EDSR":
        """Return the net without constant factors and without the last addition; this one goes on training."""
        net = copy.deepcopy(self)
        for block in net.body:
            if isinstance(block, ResidualBlock):
                block.fold()
        if net.add_mean is not None:
            weight, bias = fold_squeeze((net.tail.weight, net.tail.bias), (net.add_mean.weight, net.add_mean.bias))
            net.tail.weight, net.tail.bias = nn.Parameter(weight), nn.Parameter(cast(Tensor, bias))
            net.add_mean = None
        return net


def _mean_shift(sign: float) -> nn.Conv2d:
    """Make a frozen 1x1 convolution that adds `sign` times the mean of DIV2K; the paper does not count it."""
    layer = nn.Conv2d(3, 3, kernel_size=1)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(3)[:, :, None, None])
        bias_of(layer).copy_(sign * torch.tensor(DIV2K_MEAN))
    return layer.requires_grad_(False)


def _upsampler(f: int, scale: int) -> nn.Sequential:
    """Make convolutions to f * block**2 channels, each followed by depth-to-space."""
    layers: list[nn.Module] = []
    for block in [2, 2] if scale == 4 else [scale]:
        layers += [conv(f, f * block**2, 3), nn.PixelShuffle(block)]
    return nn.Sequential(*layers)
