"""SESR: a narrow net of collapsible linear blocks: 256 channels inside a block in training, 16 at inference.

Paper: Collapsible Linear Blocks for Super-Efficient Super Resolution, arXiv 2103.09404: tables 1 and 2 (PSNR of M3 to
XL at x2 and x4). Also the SESR rows of QuickSRNet's table 3 (arXiv 2303.04336). Upstream: ARM-software/sesr
(Apache-2.0), and the RGB variant of the AIMET model zoo (BSD-3-Clause).

Variants, by arguments:
- Paper: Y, PReLU, no activation after the first convolution, 0.5 subtracted from the input, output clipped.
- QuickSRNet's rows: RGB, ReLU, no shift, and x3. The AIMET model zoo also has a ReLU after the first convolution.

Deviations:
- Biases collapse exactly (see `sr.functional.collapse`); in upstream's code they leak into the kernels. Both are equal
  at initialisation, where biases are zero: Glorot-uniform kernels, PReLU slopes of zero.
- The image skip is a frozen 1x1 convolution (`Anchor`), for Y too. It equals the paper's broadcast addition, and its
  channels can be permuted on export.
- The clip comes before depth-to-space (the values are the same). RGB is clipped too; in the model zoo the metric clips.
- At x4 the collapsed net replaces the paper's two depth-to-space operations by one, with permuted channels. The output
  is the same.
- The input shift is a frozen 1x1 convolution. It cannot be folded into the bias of the following 5x5 convolution,
  because zero padding after the shift equals grey and before the shift equals black.
"""

import functools
import itertools
from typing import cast

import torch
from torch import Tensor, nn

from sr.models.blocks import NUM_CHANNELS, Add, Anchor, activation, check_choice, check_count, check_scale, clip
from sr.models.collapsible import CollapsibleConv, ExpandSqueeze, collapse_convs
from sr.models.net import Net

_NAME = "SESR"
_SCALES = {"y": (2, 4), "rgb": (2, 3, 4)}


class SESR(Net):
    """Upscale with a 5x5 block to f, m 3x3 blocks with skips, a 5x5 block to C s**2, the anchor and depth-to-space.

    All blocks are linear and collapse: `collapse()` returns m + 2 plain convolutions and two additions.

    Args:
        scale: 2 or 4, with RGB also 3.
        color: "y" upscales luma, "rgb" all three channels.
        f: Feature channels between the blocks; 16, or 32 in XL.
        m: 3x3 blocks, each followed by an activation; 3, 5, 7 or 11.
        expansion: Channels inside each block in training; 256 in the paper.
        expand_bias: Whether the first convolution inside a block also has a bias.
        activation: "prelu" (one slope per channel) or "relu".
        head_activation: Whether an activation follows the first block.
        input_shift: Value subtracted from the input of the first block, in pixel values of [0, 1]; the anchor gets the
            unshifted input.
        forward_form: "collapsed" trains with kernels computed from the expanded weights, "expanded" runs both
            convolutions of each block. Both compute the same function; the former is many times faster. "reference"
            trains upstream's collapsed block, in which the biases become part of the kernel (`CollapsibleConv`).

    Raises:
        ValueError: If a scale, choice or count is not supported.
    """

    def __init__(
        self,
        *,
        scale: float,
        color: str,
        f: int,
        m: int,
        expansion: int,
        expand_bias: bool,
        activation: str,
        head_activation: bool,
        input_shift: float,
        forward_form: str,
    ) -> None:
        super().__init__()
        self.color = check_choice(_NAME, "color", color, ("y", "rgb"))
        self.scale: int = check_scale(f"{_NAME} with color={color}", scale, _SCALES[color])
        check_choice(_NAME, "activation", activation, ("prelu", "relu"))
        for argument, count in (("f", f), ("m", m), ("expansion", expansion)):
            check_count(_NAME, argument, count, 1)
        self.size_multiple = 1
        channels = NUM_CHANNELS[color]
        block = functools.partial(_block, expansion=expansion, expand_bias=expand_bias, forward_form=forward_form)
        self.shift = _shift(channels, input_shift) if input_shift else None
        self.conv_first: nn.Module = block(channels, f, 5)
        self.activation_first = _activation(activation, f) if head_activation else None
        body = [(block(f, f, 3), _activation(activation, f)) for _ in range(m)]
        self.body = nn.Sequential(*itertools.chain.from_iterable(body))
        self.add_features = Add()
        self.conv_last: nn.Module = block(f, channels * self.scale**2, 5)
        self._add_tail(channels)

    def _add_tail(self, channels: int) -> None:
        """Make the layers after the last convolution; none of them is trainable."""
        self.anchor = Anchor(channels=channels, block=self.scale, learnable=False)
        self.add_image = Add()
        self.clip = clip()
        steps = [2, 2] if self.scale == 4 and self.color == "y" else [self.scale]
        self.depth_to_space = nn.Sequential(*[nn.PixelShuffle(step) for step in steps])

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, C, h, w) in [0, 1] to sr (N, C, s*h, s*w) in [0, 1]; C is 1 for Y and 3 for RGB."""
        first = self.conv_first(lr if self.shift is None else self.shift(lr))
        first = first if self.activation_first is None else self.activation_first(first)
        features = self.add_features(self.body(first), first)
        blocks = self.add_image(self.conv_last(features), self.anchor(lr))
        return self.depth_to_space(self.clip(blocks))

    @torch.no_grad()
    def collapse(self) -> "SESR":
        """Return a copy for inference: plain convolutions that give the same output."""
        net = collapse_convs(self)
        if len(net.depth_to_space) == 2:
            for layer in (cast(nn.Conv2d, net.conv_last), net.anchor.net):
                order = _shuffle_order(layer.out_channels)
                for parameter in layer.parameters():
                    parameter.copy_(parameter[order])
            net.depth_to_space = nn.Sequential(nn.PixelShuffle(4))
        return net


def _block(
    in_channels: int, out_channels: int, size: int, *, expansion: int, expand_bias: bool, forward_form: str
) -> CollapsibleConv:
    """Make a linear block; a 3x3 block, which lies between features, has a short skip."""
    branch = ExpandSqueeze(in_channels, out_channels, width=expansion, kernel_size=size, expand_bias=expand_bias)
    return CollapsibleConv(branch, skip=size == 3, forward_form=forward_form)


def _activation(name: str, channels: int) -> nn.Module:
    """Make an activation; PReLU starts with slopes of zero, as upstream."""
    module = activation(_NAME, name, channels)
    if isinstance(module, nn.PReLU):
        nn.init.zeros_(module.weight)
    return module


def _shift(channels: int, amount: float) -> nn.Conv2d:
    """Make a frozen 1x1 convolution that subtracts a constant."""
    layer = nn.Conv2d(channels, channels, kernel_size=1)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(channels)[:, :, None, None])
        cast(Tensor, layer.bias).fill_(-amount)
    return layer.requires_grad_(False)


def _shuffle_order(channels: int) -> Tensor:
    """Return the channel permutation that makes depth-to-space(4) equal to depth-to-space(2) applied twice."""
    index = torch.arange(channels, dtype=torch.float32)[None, :, None, None]
    image = nn.PixelShuffle(2)(nn.PixelShuffle(2)(index))
    return nn.PixelUnshuffle(4)(image).flatten().long()
