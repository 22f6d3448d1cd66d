"""RFDN and E-RFDN: features distilled in stages, fused, and weighted by an attention.

Paper: Residual Feature Distillation Network for Lightweight Image Super-Resolution, arXiv 2009.11551, winner of the
AIM 2020 efficient super-resolution challenge; its comparison with other light nets, and the ERFDN row of QuickSRNet's
table 3 (arXiv 2303.04336). Upstream: njulj/RFDN, the challenge net only (no licence stated).

- RFDN (paper): 6 blocks of 48 channels, contrast-aware channel attention as in IMDN (arXiv 1909.11856), a residual
  around each block. The paper's own code is not public. An attention behind the fusion with a quarter of the channels
  inside is what gives the published sizes: 534K, 541K and 550K at x2, x3 and x4, and 626K, 633K and 643K for RFDN-L
  (52 channels).
- E-RFDN (challenge code): 4 blocks of 50 channels, the enhanced spatial attention of RFANet, no residual around a
  block.

Deviations: upstream's code knows x4 only; x2 and x3 differ in the last convolution. The standard deviation in the
channel attention has a floor of 1e-6, without which a flat channel has no gradient (0/0).
"""

import torch.nn.functional as F
from torch import Tensor, nn

from sr.models.blocks import Add, Concat, check_choice, check_count, check_scale, conv
from sr.models.net import Net

NAME = "RFDN"
SCALES = (2, 3, 4)
SLOPE = 0.05  # negative slope of every LeakyReLU


class Multiply(nn.Module):
    """Product of two tensors, as a module of its own so that a quantizer sees it."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return `a * b`."""
        return a * b


class ResizeLike(nn.Module):
    """Bilinear resizing to the height and width of another tensor."""

    def forward(self, features: Tensor, like: Tensor) -> Tensor:
        """Resize (N, C, ., .) to (N, C, h, w) of `like`."""
        return F.interpolate(features, size=like.shape[-2:], mode="bilinear", align_corners=False)


class Contrast(nn.Module):
    """Standard deviation plus mean of each channel over the image."""

    def forward(self, features: Tensor) -> Tensor:
        """Reduce (N, C, h, w) to (N, C, 1, 1)."""
        mean = features.mean((2, 3), keepdim=True)
        variance = (features - mean).square().mean((2, 3), keepdim=True)
        return (variance + 1e-12).sqrt() + mean


class ChannelAttention(nn.Module):
    """Contrast-aware channel attention: a weight for each channel from its contrast.

    Args:
        f: Feature channels; a quarter of them in the middle.
    """

    def __init__(self, f: int) -> None:
        super().__init__()
        self.contrast = Contrast()
        self.gate = nn.Sequential(conv(f, f // 4, 1), nn.ReLU(), conv(f // 4, f, 1), nn.Sigmoid())
        self.multiply = Multiply()

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape (N, f, h, w)."""
        return self.multiply(features, self.gate(self.contrast(features)))


class SpatialAttention(nn.Module):
    """Enhanced spatial attention: a weight for each pixel and channel from a far smaller picture.

    Height and width must be at least 15: a 3x3 of stride 2 and a 7x7 pooling, both without padding.

    Args:
        f: Feature channels; a quarter of them inside.
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
        """Keep the shape (N, f, h, w)."""
        reduced = self.reduce(features)
        far = self.resize(self.small(self.shrink(reduced)), reduced)
        return self.multiply(features, self.gate(self.add(far, self.full(reduced))))


class Stage(nn.Module):
    """One step of distillation: half of the channels leave by a 1x1 convolution, all go on through a residual 3x3.

    Args:
        f: Feature channels.
    """

    def __init__(self, f: int) -> None:
        super().__init__()
        self.distill = nn.Sequential(conv(f, f // 2, 1), nn.LeakyReLU(SLOPE))
        self.refine = conv(f, f, 3)
        self.add = Add()
        self.activation = nn.LeakyReLU(SLOPE)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return what leaves, (N, f/2, h, w), and what goes on, (N, f, h, w)."""
        return self.distill(features), self.activation(self.add(self.refine(features), features))


class DistillationBlock(nn.Module):
    """Residual feature distillation block: three stages, a 3x3 convolution, fusion of the four outputs, attention.

    Args:
        f: Feature channels, even.
        attention: "channel" or "spatial".
        residual: Whether the input is added at the end.
    """

    def __init__(self, f: int, attention: str, residual: bool) -> None:
        super().__init__()
        self.stages = nn.ModuleList(Stage(f) for _ in range(3))
        self.last = nn.Sequential(conv(f, f // 2, 3), nn.LeakyReLU(SLOPE))
        self.concat = Concat()
        self.fuse = conv(4 * (f // 2), f, 1)
        self.attention = ChannelAttention(f) if attention == "channel" else SpatialAttention(f)
        self.add = Add() if residual else None

    def forward(self, features: Tensor) -> Tensor:
        """Keep the shape (N, f, h, w)."""
        distilled, rest = [], features
        for stage in self.stages:
            out, rest = stage(rest)
            distilled.append(out)
        fused = self.attention(self.fuse(self.concat(*distilled, self.last(rest))))
        return fused if self.add is None else self.add(fused, features)


class RFDN(Net):
    """Conv 3 -> f, m distillation blocks in series, fusion of all their outputs, long skip, sub-pixel upscaling.

    Args:
        scale: 2, 3 or 4.
        f: Feature channels, a multiple of 2 and at least 4; 48 (RFDN), 52 (RFDN-L) or 50 (E-RFDN).
        m: Distillation blocks; 6 or 4.
        attention: "channel" (RFDN) or "spatial" (E-RFDN); the second needs lr of at least 15x15 pixels.
        block_residual: Whether each block's input is added to its output.

    Raises:
        ValueError: for a scale, word or count that it does not know.
    """

    def __init__(self, *, scale: float, f: int, m: int, attention: str, block_residual: bool) -> None:
        super().__init__()
        self.scale: int = check_scale(NAME, scale, SCALES)
        check_count(NAME, "m", m, 1)
        if check_count(NAME, "f", f, 4) % 2:
            raise ValueError(f"{NAME} distills half of its channels: f must be even, got {f}.")
        check_choice(NAME, "attention", attention, ("channel", "spatial"))
        self.color = "rgb"
        self.size_multiple = 1
        self.min_size = 15 if attention == "spatial" else 1
        self.head = conv(3, f, 3)
        self.blocks = nn.ModuleList(DistillationBlock(f, attention, block_residual) for _ in range(m))
        self.concat = Concat()
        self.fuse = nn.Sequential(conv(m * f, f, 1), nn.LeakyReLU(SLOPE), conv(f, f, 3))
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
