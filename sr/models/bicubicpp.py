"""Bicubic++: convolutions at half the LR resolution, the fast end of published nets.

Paper: Bicubic++: Slim, Slimmer, Slimmest - Designing an Industry-Grade Super-Resolution Network, arXiv 2305.02126;
winner of the real-time track of NTIRE 2023 (x3, LR coded as JPEG of quality 90). Figure 2 and section 3.

Deviations:
- A clip to [0, 1] before depth-to-space, so that the last convolution and its clip can be quantized as one.
- Scales 2, 3 and 4; the paper has x3.
"""

from torch import Tensor, nn

from sr.models.blocks import Add, check_count, check_scale, clip, conv
from sr.models.net import Net

_NAME = "Bicubic++"
_SCALES = (2, 3, 4)
_SLOPE = 0.1


class BicubicPlusPlus(Net):
    """Upscale with a convolution of stride 2, two convolutions with a skip, conv f -> 12 s**2, depth-to-space(2 s).

    No convolution has a bias: the paper removes them in its third stage.

    Args:
        scale: 2, 3 or 4.
        f: Feature channels; 32 in the paper, after its pruning.

    Raises:
        ValueError: If the scale or the count is not supported.
    """

    def __init__(self, *, scale: float, f: int) -> None:
        super().__init__()
        self.scale: int = check_scale(_NAME, scale, _SCALES)
        check_count(_NAME, "f", f, 1)
        self.color = "rgb"
        self.size_multiple = 2
        self.conv0 = nn.Conv2d(3, f, 3, stride=2, padding=1, bias=False)
        self.conv1 = conv(f, f, 3, bias=False)
        self.conv2 = conv(f, f, 3, bias=False)
        self.act0, self.act1, self.act2 = (nn.LeakyReLU(_SLOPE) for _ in range(3))
        self.add = Add()
        self.conv_out = conv(f, 3 * (2 * self.scale) ** 2, 3, bias=False)
        self.clip = clip()
        self.depth_to_space = nn.PixelShuffle(2 * self.scale)

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1], h and w even, to sr (N, 3, s*h, s*w) in [0, 1]."""
        first = self.act0(self.conv0(lr))
        features = self.act2(self.conv2(self.act1(self.conv1(first))))
        return self.depth_to_space(self.clip(self.conv_out(self.add(features, first))))
