"""MESRNet: the generator of MESRGAN, an RRDBNet with MobileNetV2 bottlenecks in its dense blocks.

Source: Lightweight Super-Resolution (MESRGAN), a poster by J. Eriksson and S. Loef: "inherit the design of ESRGAN, but
replace convolutional layers with the lightweight bottleneck residual block from MobileNetV2", with LeakyReLU. There is
no paper and no code. The open choices are made here so that the number of MACs agrees with the poster:

- Only the convolutions inside dense blocks are replaced; the others are 8 % of RRDBNet's MACs.
- The poster does not state the expansion. With `expansion=1` the replaced layers have 0.52 of their MACs ("half"); with
  6, as usual in MobileNetV2, they would have three times as many.
- There is no batch normalization; MobileNetV2 has it, ESRGAN removes it.
- There is no skip inside a bottleneck. It needs equal input and output channels, which no layer of a dense block has.
"""

from functools import partial

from torch import Tensor, nn

from sr.models.blocks import conv
from sr.models.rrdbnet import RRDB_SLOPE, MakeConv, RRDBNet, small_start

_NAME = "MESRNet"


class Bottleneck(nn.Module):
    """Inverted bottleneck without skip: conv 1x1, LeakyReLU, depthwise conv 3x3, LeakyReLU, conv 1x1.

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
            nn.LeakyReLU(RRDB_SLOPE),
            conv(inner, inner, 3, groups=inner),
            nn.LeakyReLU(RRDB_SLOPE),
            small_start(conv, 1, inner, out_channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, channels, h, w) to (N, out_channels, h, w)."""
        return self.layers(features)


class MESRNet(RRDBNet):
    """Upscale as RRDBNet does, with bottlenecks instead of the convolutions in its dense blocks.

    Args:
        scale: 2, 3 or 4.
        f: Feature channels; 64 in ESRGAN.
        growth: Channels added by each layer of a dense block; 32 in ESRGAN.
        m: Number of RRDBs; 23 in ESRGAN.
        expansion: Inner channels of a bottleneck / its input channels, above 0.
        standardized: Whether to standardize pixels to mean 0 and deviation 1 (`sr.models.standardization`).

    Raises:
        ValueError: If a scale, count or expansion is not supported.
    """

    name = _NAME

    def __init__(self, *, scale: float, f: int, growth: int, m: int, expansion: float, standardized: bool) -> None:
        if expansion <= 0:
            raise ValueError(f"{_NAME} needs an expansion above 0, got {expansion}; 1 halves the number of MACs")
        self._expansion = expansion
        super().__init__(scale=scale, f=f, growth=growth, m=m, standardized=standardized)

    def layer(self) -> MakeConv:
        """Return the constructor of a dense block's layer."""
        return partial(Bottleneck, self._expansion)
