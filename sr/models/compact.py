"""Compact: a plain stack of PReLU convolutions with a nearest-neighbour residual, the fast nets of Real-ESRGAN.

Paper: none. It is `SRVGGNetCompact` of Real-ESRGAN (arXiv 2107.10833), released as "general-x4v3" (f 64, m 32) and
"animevideov3" (f 64, m 16). Most real-time video upscalers run it. It reproduces no table; it is here so that its
released weights can be used. Upstream: xinntao/Real-ESRGAN (BSD-3-Clause), whose parameter names are kept; its files
load with `init=<file> init_leave=[anchor]`.

Deviations:
- The residual is a frozen 1x1 convolution before depth-to-space (`Anchor`); the values are the same.
- The output is clipped to [0, 1] before depth-to-space; upstream clips when it saves the image.
"""

from torch import Tensor, nn

from sr.models.blocks import Add, Anchor, activation, check_count, check_scale, clip, conv
from sr.models.net import Net

_NAME = "Compact"
_SCALES = (2, 3, 4)


class Compact(Net):
    """Upscale with conv 3 -> f, m convs f -> f, conv f -> 3 s**2, the anchor, a clip and depth-to-space.

    Args:
        f: Feature channels; 64 upstream.
        m: Intermediate convolutions; 16 or 32 upstream.
        scale: 2, 3 or 4.
        activation: "prelu" (upstream, one slope per channel), "relu" or "relu1".

    Raises:
        ValueError: If a scale, choice or count is not supported.
    """

    def __init__(self, *, f: int, m: int, scale: float, activation: str) -> None:
        super().__init__()
        self.scale: int = check_scale(_NAME, scale, _SCALES)
        check_count(_NAME, "f", f, 1)
        check_count(_NAME, "m", m, 0)
        self.color = "rgb"
        self.size_multiple = 1
        self.body = _body(f, m, self.scale, activation)
        self.anchor = Anchor(channels=3, block=self.scale, learnable=False)
        self.add = Add()
        self.clip = clip()
        self.depth_to_space = nn.PixelShuffle(self.scale)

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1] to sr (N, 3, s*h, s*w) in [0, 1]."""
        return self.depth_to_space(self.clip(self.add(self.body(lr), self.anchor(lr))))


def _body(f: int, m: int, scale: int, name: str) -> nn.Sequential:
    """Stack m + 2 convolutions, each but the last followed by a separate activation."""
    layers: list[nn.Module] = []
    for in_channels in [3, *[f] * m]:
        layers += [conv(in_channels, f, 3), activation(_NAME, name, f)]
    return nn.Sequential(*layers, conv(f, 3 * scale**2, 3))
