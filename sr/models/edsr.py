"""EDSR: residual blocks without batch normalization, a large reference net.

Paper: Enhanced Deep Residual Networks for Single Image Super-Resolution, arXiv 1707.02921; table 1 (both sizes) and
table 3 (PSNR). Also the EDSR row of QuickSRNet's table 3 (arXiv 2303.04336): its 32.21 dB on BSD100 x2 are those of the
baseline. Upstream: sanghyun-son/EDSR-PyTorch (MIT).

Deviations:
- Pixels are in [0, 1] instead of [0, 255]: the same function after scaling biases and mean by 255.
- The collapsed net folds the residual scaling into its convolutions and the output mean into the last bias.
"""

import copy
from typing import cast

import torch
from torch import Tensor, nn

from sr.functional.collapse import fold_squeeze
from sr.models.blocks import Add, bias_of, check_count, check_scale, conv
from sr.models.net import Net

_NAME = "EDSR"
_SCALES = (2, 3, 4)
DIV2K_MEAN = (0.4488, 0.4371, 0.4040)  # RGB mean of DIV2K's training images, from upstream


class EDSRBlock(nn.Module):
    """Residual block: conv, ReLU, conv, times a constant, plus the input.

    Args:
        f: Feature channels.
        residual_scale: Constant factor of the residual.
    """

    def __init__(self, f: int, residual_scale: float) -> None:
        super().__init__()
        self.residual_scale = residual_scale
        self.conv1 = conv(f, f, 3)
        self.relu = nn.ReLU()
        self.conv2 = conv(f, f, 3)
        self.add = Add()

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, f, h, w) to the same shape."""
        residual = self.conv2(self.relu(self.conv1(features)))
        if self.residual_scale != 1:
            residual = residual * self.residual_scale
        return self.add(residual, features)

    @torch.no_grad()
    def fold(self) -> None:
        """Fold the constant factor into the second convolution, in place."""
        for parameter in self.conv2.parameters():
            parameter.mul_(self.residual_scale)
        self.residual_scale = 1.0


class EDSR(Net):
    """Upscale with conv 3 -> f, m residual blocks with a long skip, sub-pixel upscaling and conv f -> 3.

    The mean of DIV2K is subtracted from the input and added to the output.

    Args:
        scale: 2, 3 or 4; x4 takes two steps of x2.
        f: Feature channels; 64 (baseline) or 256.
        m: Residual blocks; 16 (baseline) or 32.
        residual_scale: Factor of each block's residual; 1 (baseline) or 0.1. With 256 channels, training is unstable
            without it (section 3.2).

    Raises:
        ValueError: If a scale or count is not supported.
    """

    def __init__(self, *, scale: float, f: int, m: int, residual_scale: float) -> None:
        super().__init__()
        self.scale: int = check_scale(_NAME, scale, _SCALES)
        check_count(_NAME, "f", f, 1)
        check_count(_NAME, "m", m, 1)
        self.color = "rgb"
        self.size_multiple = 1
        self.subtract_mean = _mean_shift(-1.0)
        self.head = conv(3, f, 3)
        self.body = nn.Sequential(*[EDSRBlock(f, residual_scale) for _ in range(m)], conv(f, f, 3))
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
        """Return a copy for inference, without constant factors and without the final mean addition."""
        net = copy.deepcopy(self)
        for block in net.body:
            if isinstance(block, EDSRBlock):
                block.fold()
        if net.add_mean is not None:
            weight, bias = fold_squeeze((net.tail.weight, net.tail.bias), (net.add_mean.weight, net.add_mean.bias))
            net.tail.weight, net.tail.bias = nn.Parameter(weight), nn.Parameter(cast(Tensor, bias))
            net.add_mean = None
        return net


def _mean_shift(sign: float) -> nn.Conv2d:
    """Make a frozen 1x1 convolution that adds `sign` times the mean of DIV2K; the paper does not count its weights."""
    layer = nn.Conv2d(3, 3, kernel_size=1)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(3)[:, :, None, None])
        bias_of(layer).copy_(sign * torch.tensor(DIV2K_MEAN))
    return layer.requires_grad_(False)


def _upsampler(f: int, scale: int) -> nn.Sequential:
    """Make the upsampler: convolutions to f * block**2 channels, each followed by depth-to-space."""
    layers: list[nn.Module] = []
    for block in [2, 2] if scale == 4 else [scale]:
        layers += [conv(f, f * block**2, 3), nn.PixelShuffle(block)]
    return nn.Sequential(*layers)
