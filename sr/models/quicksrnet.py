"""QuickSRNet: a plain stack of convolutions and clips (ReLU1) that keeps its accuracy in 8 bits.

Paper: QuickSRNet: Plain Single-Image Super-Resolution Architecture for Faster Inference on Mobile Platforms,
arXiv 2303.04336 (CVPR workshops 2023): tables 1 to 6, figure 7, the x1.5 of section 5.1, the tables of the supplement.
Upstream: aimet_zoo_torch/quicksrnet of the AIMET model zoo (BSD-3-Clause), whose parameter names are kept.

Differences from upstream, each an argument:
- `identity_x1_5="fixed"` starts from nearest-neighbour upscaling, as at every other scale. Upstream's identity
  initialisation for x1.5 computes all outputs from three sub-pixels of red, because space-to-depth orders its channels
  by color first. Upstream's residual copies one pixel of each four.
- `activation="relu"` and `init="random"` are the ablations of the paper's figure 7. `upscaling="average_pool"` is the
  naive x1.5 of section 5.1. Upstream has none of them.
"""

import torch
from torch import Tensor, nn

from sr.functional.collapse import anchor_kernel, identity_kernel, strided_anchor_kernel
from sr.models.blocks import Add, Anchor, activation, bias_of, check_choice, check_count, check_scale, clip, conv
from sr.models.collapsible import collapse_convs
from sr.models.net import Net
from sr.models.overparameterize import expand_convs

_NAME = "QuickSRNet"
_SCALES = (1.5, 2, 3, 4)


class QuickSRNet(Net):
    """Upscale with conv 3 -> f, m convs f -> f and conv f -> 3 s**2, a clip after each, then depth-to-space.

    The last clip comes before depth-to-space: the values are the same, and the quantizer can treat the convolution and
    its clip as one operation.

    Args:
        f: Feature channels, at least 3; 32 (small, medium) or 64 (large).
        m: Intermediate convolutions, without the first and the last; 2, 5 or 11.
        scale: 1.5, 2, 3 or 4.
        activation: "relu1" (paper) clips features to [0, 1], "relu" does not. The output is clipped in both cases.
        init: "random" is PyTorch's default. "identity" adds identity kernels to it, so that training starts from
            nearest-neighbour upscaling plus noise. A residual starts as a copy in both cases.
        identity_x1_5: "fixed" or "reference": the identity for space-to-depth; other scales do not use it.
        residual: "none", "input_to_output" or "nearest". "input_to_output" adds a learnable convolution of lr to the
            output of the last convolution, channel by channel; the released large net has it, table 2 does not.
            "nearest" adds lr upscaled by nearest neighbour after depth-to-space: the image that "input_to_output"
            starts from, by another graph. With a residual the last convolution gets no identity kernel.
        upscaling: Method for x1.5: "space_to_depth" halves the resolution, convolves 1x1 and upscales x3;
            "average_pool" is a x3 net followed by 2x2 averaging. Other scales accept only "space_to_depth".
        overparameterize: "none", "sesr", "repsr" or "ecb": training-time branches (`sr.models.overparameterize`).

    Raises:
        ValueError: If a scale, choice or count is not supported.
    """

    def __init__(
        self,
        *,
        f: int,
        m: int,
        scale: float,
        activation: str,
        init: str,
        identity_x1_5: str,
        residual: str,
        upscaling: str,
        overparameterize: str,
    ) -> None:
        super().__init__()
        self.scale = check_scale(_NAME, scale, _SCALES)
        check_count(_NAME, "f", f, 3)
        check_count(_NAME, "m", m, 0)
        check_choice(_NAME, "activation", activation, ("relu1", "relu"))
        check_choice(_NAME, "init", init, ("identity", "random"))
        check_choice(_NAME, "identity_x1_5", identity_x1_5, ("fixed", "reference"))
        check_choice(_NAME, "residual", residual, ("none", "input_to_output", "nearest"))
        check_choice(_NAME, "upscaling", upscaling, ("space_to_depth", "average_pool"))
        if upscaling == "average_pool" and self.scale != 1.5:
            raise ValueError(f"{_NAME} averages only at scale 1.5, got scale {scale}: set upscaling=space_to_depth.")
        self.color = "rgb"
        self.size_multiple = 2 if self.scale == 1.5 else 1
        self.cnn = _body(f, m, activation)
        self._add_tail(f, halves=self.scale == 1.5 and upscaling == "space_to_depth")
        self._add_residual(residual, identity_x1_5)
        if init == "identity":
            self._add_identity(identity_x1_5)
        expand_convs(self, overparameterize)

    def _add_tail(self, f: int, *, halves: bool) -> None:
        """Make the last convolution and the layers after it; `halves` selects the paper's x1.5."""
        self.block = 3 if self.scale == 1.5 else int(self.scale)
        self.space_to_depth = nn.PixelUnshuffle(2) if halves else None
        self.conv_last = conv(4 * f, 3 * self.block**2, 1) if halves else conv(f, 3 * self.block**2, 3)
        self.clip = clip()
        self.depth_to_space = nn.PixelShuffle(self.block)
        self.pool = nn.AvgPool2d(2) if self.scale == 1.5 and not halves else None

    def _add_residual(self, residual: str, identity_x1_5: str) -> None:
        """Make the layers of the input-to-output residual, in front of depth-to-space or behind it."""
        self.anchor: nn.Module | None = None
        self.nearest: nn.Upsample | None = None
        if residual == "nearest":
            self.nearest = nn.Upsample(scale_factor=self.scale if self.pool is None else 3, mode="nearest")
        self.add = None if residual == "none" else Add()
        if residual != "input_to_output":
            return
        if self.space_to_depth is None:
            self.anchor = Anchor(channels=3, block=self.block, learnable=True)
        else:
            self.anchor = StridedAnchor(nearest=identity_x1_5 == "fixed")

    @torch.no_grad()
    def _add_identity(self, identity_x1_5: str) -> None:
        """Add an identity kernel to each randomly initialised convolution."""
        _add_identity_to_body(self.cnn)
        if self.add is not None:
            return
        last = self.conv_last
        if self.space_to_depth is not None and identity_x1_5 == "fixed":
            sub_pixels = identity_kernel(3 * 4, last.in_channels, kernel_size=1)
            last.weight += sub_pixels[[4 * colour + _nearest_of_4(slot) for colour in range(3) for slot in range(9)]]
        else:
            last.weight += anchor_kernel(3, last.in_channels, self.block, last.kernel_size[0])

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1] to sr (N, 3, s*h, s*w) in [0, 1]; for x1.5 h and w must be even."""
        features = self.cnn(lr)
        if self.space_to_depth is not None:
            features = self.space_to_depth(features)
        blocks = self.conv_last(features)
        if self.anchor is not None and self.add is not None:
            blocks = self.add(self.anchor(lr), blocks)
        if self.nearest is not None and self.add is not None:
            sr = self.clip(self.add(self.nearest(lr), self.depth_to_space(blocks)))
        else:
            sr = self.depth_to_space(self.clip(blocks))
        return sr if self.pool is None else self.pool(sr)

    def collapse(self) -> Net:
        """Return a copy for inference, in which every convolution is a plain `nn.Conv2d`."""
        return collapse_convs(self)


class StridedQuickSRNet(Net):
    """QuickSRNet with a last convolution of 2x2 and stride 2: conv f -> 12 s**2, clip, depth-to-space(2 s).

    It is not in the paper. Each output of the last convolution covers 2x2 LR pixels and reads nothing outside them. At
    x2 it has 48 channels in place of 12. Hexagon computes channels in blocks of 32, so the tail costs less time there,
    and pays for one more convolution of f channels (docs/line.md).

    At x1.5 QuickSRNet itself has this tail: space-to-depth(2) and a 1x1 convolution are a 2x2 convolution of stride 2.

    Args:
        f: Feature channels, at least 3.
        m: Intermediate convolutions, without the first and the last.
        scale: 2, 3 or 4.
        activation: "relu1" or "relu", as in QuickSRNet.
        init: "random" or "identity": training starts from nearest-neighbour upscaling plus noise.
        overparameterize: "none", "sesr", "repsr" or "ecb", for all convolutions but the last.

    Raises:
        ValueError: If a scale, choice or count is not supported.
    """

    def __init__(self, *, f: int, m: int, scale: float, activation: str, init: str, overparameterize: str) -> None:
        super().__init__()
        name = type(self).__name__
        self.scale: int = check_scale(name, scale, (2, 3, 4))
        check_count(name, "f", f, 3)
        check_count(name, "m", m, 0)
        check_choice(name, "activation", activation, ("relu1", "relu"))
        check_choice(name, "init", init, ("identity", "random"))
        self.color = "rgb"
        self.size_multiple = 2
        self.cnn = _body(f, m, activation)
        self.conv_last = nn.Conv2d(f, 3 * (2 * self.scale) ** 2, kernel_size=2, stride=2)
        self.clip = clip()
        self.depth_to_space = nn.PixelShuffle(2 * self.scale)
        if init == "identity":
            _add_identity_to_body(self.cnn)
            with torch.no_grad():
                self.conv_last.weight += strided_anchor_kernel(3, f, self.scale)
        expand_convs(self, overparameterize)

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1], h and w even, to sr (N, 3, s*h, s*w) in [0, 1]."""
        return self.depth_to_space(self.clip(self.conv_last(self.cnn(lr))))

    def collapse(self) -> Net:
        """Return a copy for inference, in which every convolution is a plain `nn.Conv2d`."""
        return collapse_convs(self)


class StridedAnchor(nn.Module):
    """Input-to-output residual for x1.5: map 2x2 lr pixels to the 3x3 sub-pixels of depth-to-space.

    It is a learnable 3x3 convolution of stride 2. Upstream initialises all nine sub-pixels with the top left pixel.

    Args:
        nearest: Whether to start from nearest-neighbour upscaling; False starts as upstream.
    """

    def __init__(self, *, nearest: bool) -> None:
        super().__init__()
        self.net = nn.Conv2d(3, 27, kernel_size=3, stride=2, padding=1)
        with torch.no_grad():
            self.net.weight.zero_()
            nn.init.zeros_(bias_of(self.net))
            for slot in range(27):
                # With a padding of 1, taps 1 and 2 read the first and the second pixel of a pair.
                row, column = divmod(_nearest_of_4(slot % 9), 2) if nearest else (0, 0)
                self.net.weight[slot, slot // 9, 1 + row, 1 + column] = 1.0

    def forward(self, lr: Tensor) -> Tensor:
        """Map (N, 3, h, w) with even h and w to (N, 27, h/2, w/2)."""
        return self.net(lr)


def _body(f: int, m: int, name: str) -> nn.Sequential:
    """Stack m + 1 convolutions, the first from RGB to f channels, each followed by a separate activation."""
    layers: list[nn.Module] = []
    for in_channels in [3, *[f] * m]:
        layers += [conv(in_channels, f, 3), activation(_NAME, name, f)]
    return nn.Sequential(*layers)


@torch.no_grad()
def _add_identity_to_body(body: nn.Sequential) -> None:
    """Add an identity kernel to each 3x3 convolution of `_body`."""
    for layer in body:
        if isinstance(layer, nn.Conv2d):
            layer.weight += identity_kernel(layer.out_channels, layer.in_channels, kernel_size=3)


def _nearest_of_4(slot: int) -> int:
    """Return the index in a row-major 2x2 block of the pixel nearest to a sub-pixel (`slot`) of a 3x3 block."""
    row, column = divmod(slot, 3)
    return 2 * (row * 2 // 3) + column * 2 // 3
