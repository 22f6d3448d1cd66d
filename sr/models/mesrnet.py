"""MESRNet: the generator of MESRGAN, an RRDBNet whose dense blocks are made of MobileNetV2's bottlenecks.

Source: Lightweight Super-Resolution (MESRGAN), a poster by J. Eriksson and S. Loef: "inherit the design of ESRGAN, but
replace convolutional layers with the lightweight bottleneck residual block from MobileNetV2", with LeakyReLU. There is
no paper and no code. What it leaves open is chosen here so that the count of multiplications comes out as it says:

- The convolutions inside dense blocks are replaced, the few others stay (8 % of RRDBNet's multiplications).
- The expansion is not stated. At `expansion=1` what is replaced keeps 0.52 of its multiplications ("half"),
  at MobileNetV2's usual 6 it would have three times as many.
- Batch normalization, which MobileNetV2 has and ESRGAN removes, is left out.
- MobileNetV2's skip needs as many channels out as in, which no layer of a dense block has.
"""

from functools import partial

from torch import Tensor, nn

from sr.models.blocks import conv
from sr.models.rrdbnet import SLOPE, MakeConv, RRDBNet, small_start

NAME = "MESRNet"


class Bottleneck(nn.Module):
    """An inverted residual's path: 1x1 expand, LeakyReLU, 3x3 depthwise, LeakyReLU, 1x1 linear.

    Args:
        expansion: Inner channels over input channels.
        channels: Input channels.
        out_channels: Output channels.

    Source: MobileNetV2 (arXiv 1801.04381), table 1.
    """

    def __init__(self, expansion: float, channels: int, out_channels: int) -> None:
        super().__init__()
        inner = max(1, round(expansion * channels))
        self.layers = nn.Sequential(
            conv(channels, inner, 1),
            nn.LeakyReLU(SLOPE),
            conv(inner, inner, 3, groups=inner),
            nn.LeakyReLU(SLOPE),
            small_start(conv, 1, inner, out_channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Turn (N, channels, h, w) into (N, out_channels, h, w)."""
        return self.layers(features)


class MESRNet(RRDBNet):
    """RRDBNet with bottlenecks inside its dense blocks.

    Args:
        scale: 2, 3 or 4.
        f: Feature channels; 64.
        growth: Channels that a dense block's layer adds; 32.
        m: RRDBs; 23.
        expansion: Inner channels of a bottleneck over its input channels, above 0.
        standardized: Whether it computes in pixels of mean 0 and deviation 1 (`sr.models.standardization`).

    Raises:
        ValueError: for a scale, count or expansion that it does not know.
    """

    name = NAME

    def __init__(self, *, scale: float, f: int, growth: int, m: int, expansion: float, standardized: bool) -> None:
        if expansion <= 0:
            raise ValueError(f"{NAME} needs an expansion above 0, got {expansion}; 1 halves the multiplications")
        self._expansion = expansion
        super().__init__(scale=scale, f=f, growth=growth, m=m, standardized=standardized)

    def layer(self) -> MakeConv:
        """What a dense block is made of."""
        return partial(Bottleneck, self._expansion)
