"""SPAN: blocks of three convolutions whose output weights itself, without parameters for the attention.

Paper: Swift Parameter-free Attention Network for Efficient Super-Resolution, arXiv 2311.12770; winner of the efficient
super-resolution challenge of NTIRE 2024. Upstream: hongyuanyu/SPAN (released with 48 and 52 channels). SiLU, sigmoid
and products of features are slow on Hexagon; docs/line.md has the estimates.

Deviations:
- Upstream subtracts a mean colour and multiplies by 255. Here only the factor is applied, because it folds into the
  first convolution exactly; a mean does not, with zero padding.
- `activation="relu1"` clips to [0, 1] in place of SiLU; the convolution and its activation are then one operation.
"""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sr.functional import collapse
from sr.models.blocks import Add, Concat, Scale, check_choice, check_count, check_scale, clip, conv
from sr.models.collapsible import Branch, CollapsibleConv, collapse_convs
from sr.models.net import Net
from sr.models.rfdn import Multiply

_NAME = "SPAN"
_SCALES = (2, 3, 4)
_GAIN = 2  # width inside the training form of a convolution, as a multiple of its channels
_IMG_RANGE = 255.0


class ThreeConvs(Branch):
    """1x1, 3x3 and 1x1 convolutions without activations, twice as wide inside: upstream's training form.

    The first one does the padding, so that the three fold exactly (`sr.functional.collapse`).

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(in_channels, _GAIN * in_channels, 1, padding=1)
        self.conv = nn.Conv2d(_GAIN * in_channels, _GAIN * out_channels, 3)
        self.squeeze = nn.Conv2d(_GAIN * out_channels, out_channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Run the convolutions, (N, in, h, w) to (N, out, h, w)."""
        return self.squeeze(self.conv(self.expand(features)))

    def kernel(self) -> collapse.WeightAndBias:
        """Return weight and bias of the convolution equal to this branch."""
        inner = collapse.fold_expand((self.expand.weight, self.expand.bias), (self.conv.weight, self.conv.bias))
        return collapse.fold_squeeze(inner, (self.squeeze.weight, self.squeeze.bias))


class PointwiseSkip(Branch):
    """1x1 convolution beside a 3x3 one.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (N, in, h, w) to (N, out, h, w)."""
        return self.conv(features)

    def kernel(self) -> collapse.WeightAndBias:
        """Return the kernel, padded to 3x3, and the bias."""
        return F.pad(self.conv.weight, (1, 1, 1, 1)), self.conv.bias


class Centred(nn.Module):
    """Subtract 0.5 from a sigmoid; a module, so that a quantizer can calibrate its output."""

    def forward(self, gate: Tensor) -> Tensor:
        """Map values in (0, 1) to (-0.5, 0.5)."""
        return gate - 0.5


class AttentionBlock(nn.Module):
    """Compute (h + x) * (sigmoid(h) - 0.5) for the output h of three convolutions of the input x.

    Args:
        f: Feature channels.
        name: Activation between the convolutions, "silu" or "relu1".
    """

    def __init__(self, f: int, name: str) -> None:
        super().__init__()
        self.conv0, self.conv1, self.conv2 = (_conv(f, f) for _ in range(3))
        self.act0, self.act1 = (nn.SiLU() if name == "silu" else clip() for _ in range(2))
        self.sigmoid = nn.Sigmoid()
        self.centred = Centred()
        self.add = Add()
        self.multiply = Multiply()

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, f, h, w) to the output of the block and that of its first convolution, both of the same shape."""
        first = self.conv0(features)
        last = self.conv2(self.act1(self.conv1(self.act0(first))))
        return self.multiply(self.add(last, features), self.centred(self.sigmoid(last))), first


class SPAN(Net):
    """Upscale with conv 3 -> f, m attention blocks, fusion of four features, conv f -> 3 s**2 and depth-to-space.

    Args:
        scale: 2, 3 or 4.
        f: Feature channels; 48 and 52 in the released nets.
        m: Attention blocks, at least 2; 6 in the paper.
        activation: "silu" (paper) or "relu1".

    Raises:
        ValueError: If a scale, choice or count is not supported.
    """

    def __init__(self, *, scale: float, f: int, m: int, activation: str) -> None:
        super().__init__()
        self.scale: int = check_scale(_NAME, scale, _SCALES)
        check_count(_NAME, "f", f, 1)
        check_count(_NAME, "m", m, 2)
        check_choice(_NAME, "activation", activation, ("silu", "relu1"))
        self.color = "rgb"
        self.size_multiple = 1
        self.img_range: Scale | None = Scale(_IMG_RANGE)
        self.head = _conv(3, f)
        self.blocks = nn.ModuleList(AttentionBlock(f, activation) for _ in range(m))
        self.last = _conv(f, f)
        self.concat = Concat()
        self.fuse = conv(4 * f, f, 1)
        self.tail = conv(f, 3 * self.scale**2, 3)
        self.depth_to_space = nn.PixelShuffle(self.scale)

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1] to sr (N, 3, s*h, s*w), not clipped."""
        head = self.head(lr if self.img_range is None else self.img_range(lr))
        first_block, _ = self.blocks[0](head)
        features = inner = first_block
        for block in list(self.blocks)[1:]:
            features, inner = block(features)
        fused = self.fuse(self.concat(head, self.last(features), first_block, inner))
        return self.depth_to_space(self.tail(fused))

    def collapse(self) -> Net:
        """Return a copy for inference: plain convolutions, the factor 255 folded into the first."""
        net = collapse_convs(self)
        if net.img_range is not None:
            with torch.no_grad():
                cast(nn.Conv2d, net.head).weight *= _IMG_RANGE
            net.img_range = None
        return net


def _conv(in_channels: int, out_channels: int) -> CollapsibleConv:
    """Make a 3x3 convolution in its training form."""
    branches = ThreeConvs(in_channels, out_channels), PointwiseSkip(in_channels, out_channels)
    return CollapsibleConv(*branches, skip=False, forward_form="collapsed")
