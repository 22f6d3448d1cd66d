"""RFDN and E-RFDN: residual feature distillation blocks with attention.

Paper: Residual Feature Distillation Network for Lightweight Image Super-Resolution, arXiv 2009.11551, winner of the
AIM 2020 efficient super-resolution challenge: its comparison of lightweight nets. Also the ERFDN row of QuickSRNet's
table 3 (arXiv 2303.04336). Upstream: njulj/RFDN, the challenge net only (no licence stated).

- RFDN (paper): 6 blocks of 48 channels, contrast-aware channel attention as in IMDN (arXiv 1909.11856), a residual
  around each block. The paper's code is not public. The published sizes follow from an attention after the fusion with
  a quarter of the channels inside: 534K, 541K and 550K at x2, x3 and x4; 626K, 633K and 643K for RFDN-L (52 channels).
- E-RFDN (challenge code): 4 blocks of 50 channels, the enhanced spatial attention of RFANet, no residual around a
  block.

Deviations:
- Upstream's code supports x4 only; x2 and x3 differ in the last convolution.
- The standard deviation in the channel attention is at least 1e-6; else a constant channel has the gradient 0/0.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from sr.models.blocks import Add, Concat, check_choice, check_count, check_scale, conv
from sr.models.net import Net

_NAME = "RFDN"
_SCALES = (2, 3, 4)
_SLOPE = 0.05  # negative slope of every LeakyReLU


class Multiply(nn.Module):
    """Multiply two tensors; a module, so that a quantizer can calibrate its output."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return `a * b`."""
        return a * b


class ResizeLike(nn.Module):
    """Resize bilinearly to the height and width of another tensor."""

    def forward(self, features: Tensor, like: Tensor) -> Tensor:
        """Resize (N, C, H, W) to (N, C, h, w) with the height and width of `like`."""
        return F.interpolate(features, size=like.shape[-2:], mode="bilinear", align_corners=False)


class Contrast(nn.Module):
    """Return the contrast of each channel: its standard deviation plus its mean over the image."""

    def forward(self, features: Tensor) -> Tensor:
        """Reduce (N, C, h, w) to (N, C, 1, 1)."""
        mean = features.mean((2, 3), keepdim=True)
        variance = (features - mean).square().mean((2, 3), keepdim=True)
        return (variance + 1e-12).sqrt() + mean


class ChannelAttention(nn.Module):
    """Weight each channel by its contrast (contrast-aware channel attention of IMDN).

    Args:
        f: Feature channels; the hidden layer has f // 4.
    """

    def __init__(self, f: int) -> None:
        super().__init__()
        self.contrast = Contrast()
        self.gate = nn.Sequential(conv(f, f // 4, 1), nn.ReLU(), conv(f // 4, f, 1), nn.Sigmoid())
        self.multiply = Multiply()

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, f, h, w) to the same shape."""
        return self.multiply(features, self.gate(self.contrast(features)))


class SpatialAttention(nn.Module):
    """Weight each pixel and channel from features at a lower resolution (enhanced spatial attention of RFANet).

    Height and width must be at least 15 pixels, for a 3x3 convolution of stride 2 and a 7x7 pooling without padding.

    Args:
        f: Feature channels; the hidden layers have f // 4.
    """

    def __init__(self, f: int) -> None:
        super().__init__()
        inner = f // 4
        self.reduce = conv(f, inner, 1)
        self.shrink = nn.Sequential(nn.Conv2d(inner, inner, 3, stride=2), nn.MaxPool2d(7, stride=3))
        self.small = nn.Sequential(
            conv(inner, inner, 3), nn.ReLU(), conv(inner, inner, 3), nn.ReLU(), conv(inner, inner, 3)
        )
        self.resize = ResizeLike()
        self.full = conv(inner, inner, 1)
        self.add = Add()
        self.gate = nn.Sequential(conv(inner, f, 1), nn.Sigmoid())
        self.multiply = Multiply()

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, f, h, w) to the same shape."""
        reduced = self.reduce(features)
        far = self.resize(self.small(self.shrink(reduced)), reduced)
        return self.multiply(features, self.gate(self.add(far, self.full(reduced))))


class DistillationStage(nn.Module):
    """Distillation step: a 1x1 convolution to half of the channels, and a residual 3x3 convolution of all channels.

    Args:
        f: Feature channels.
    """

    def __init__(self, f: int) -> None:
        super().__init__()
        self.distill = nn.Sequential(conv(f, f // 2, 1), nn.LeakyReLU(_SLOPE))
        self.refine = conv(f, f, 3)
        self.add = Add()
        self.activation = nn.LeakyReLU(_SLOPE)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the distilled features (N, f/2, h, w) and the refined features (N, f, h, w)."""
        return self.distill(features), self.activation(self.add(self.refine(features), features))


class DistillationBlock(nn.Module):
    """Residual feature distillation block: three stages, a 3x3 convolution, fusion of the four outputs, attention.

    Args:
        f: Feature channels, even.
        attention: "channel" or "spatial".
        residual: Whether to add the input to the output.
    """

    def __init__(self, f: int, attention: str, residual: bool) -> None:
        super().__init__()
        self.stages = nn.ModuleList(DistillationStage(f) for _ in range(3))
        self.last = nn.Sequential(conv(f, f // 2, 3), nn.LeakyReLU(_SLOPE))
        self.concat = Concat()
        self.fuse = conv(4 * (f // 2), f, 1)
        self.attention = ChannelAttention(f) if attention == "channel" else SpatialAttention(f)
        self.add = Add() if residual else None

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, f, h, w) to the same shape."""
        distilled, rest = [], features
        for stage in self.stages:
            out, rest = stage(rest)
            distilled.append(out)
        fused = self.attention(self.fuse(self.concat(*distilled, self.last(rest))))
        return fused if self.add is None else self.add(fused, features)


class RFDN(Net):
    """Upscale with conv 3 -> f, m distillation blocks, fusion of their outputs, a long skip and depth-to-space.

    Args:
        scale: 2, 3 or 4.
        f: Feature channels, even and at least 4; 48 (RFDN), 52 (RFDN-L) or 50 (E-RFDN).
        m: Distillation blocks; 6 (RFDN) or 4 (E-RFDN).
        attention: "channel" (RFDN) or "spatial" (E-RFDN); the latter needs lr of at least 15x15 pixels.
        block_residual: Whether to add each block's input to its output.

    Raises:
        ValueError: If a scale, choice or count is not supported.
    """

    def __init__(self, *, scale: float, f: int, m: int, attention: str, block_residual: bool) -> None:
        super().__init__()
        self.scale: int = check_scale(_NAME, scale, _SCALES)
        check_count(_NAME, "m", m, 1)
        if check_count(_NAME, "f", f, 4) % 2:
            raise ValueError(f"{_NAME} distills half of its channels: f must be even, got {f}.")
        check_choice(_NAME, "attention", attention, ("channel", "spatial"))
        self.color = "rgb"
        self.size_multiple = 1
        self.is_local = False  # the contrast and the resized map of the two attentions depend on the image's size
        self.min_size = 15 if attention == "spatial" else 1
        self.head = conv(3, f, 3)
        self.blocks = nn.ModuleList(DistillationBlock(f, attention, block_residual) for _ in range(m))
        self.concat = Concat()
        self.fuse = nn.Sequential(conv(m * f, f, 1), nn.LeakyReLU(_SLOPE), conv(f, f, 3))
        self.add = Add()
        self.tail = conv(f, 3 * self.scale**2, 3)
        self.depth_to_space = nn.PixelShuffle(self.scale)

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1] to sr (N, 3, s*h, s*w), not clipped."""
        features = first = self.head(lr)
        outputs = []
        for block in self.blocks:
            features = block(features)
            outputs.append(features)
        fused = self.add(self.fuse(self.concat(*outputs)), first)
        return self.depth_to_space(self.tail(fused))
