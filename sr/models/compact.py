"""Compact: a plain stack of PReLU convolutions with a nearest-neighbour residual, the fast nets of Real-ESRGAN.

Paper: none; it came with Real-ESRGAN (arXiv 2107.10833) as `SRVGGNetCompact`, for "general-x4v3" (f 64, m 32) and
"animevideov3" (f 64, m 16), and is what most real-time video upscalers run. Reproduces no table: it stands here because
people bring its weights. Upstream: xinntao/Real-ESRGAN (BSD-3-Clause), whose names of parameters are kept; its released
files load with `init=<file> init_leave=[anchor]`.

Deviations: the residual is a frozen 1x1 convolution in front of depth-to-space (`Anchor`: the same values), and the
output is clipped there to [0, 1], which upstream leaves to whoever saves the image.
"""

from torch import Tensor, nn

from sr.models.blocks import Add, Anchor, activation, check_count, check_scale, clip, conv
from sr.models.net import Net

NAME = "Compact"
SCALES = (2, 3, 4)


class Compact(Net):
    """First conv 3 -> f, m convs f -> f, each with an activation; last conv f -> 3 s**2, anchor, clip, depth-to-space.

    Args:
        f: Feature channels; 64 upstream.
        m: Intermediate convolutions; 16 or 32 upstream.
        scale: 2, 3 or 4.
        activation: "prelu" (upstream's: a slope for each channel), "relu" or "relu1".

    Raises:
        ValueError: for a scale, word or count that it does not know.
    """

    def __init__(self, *, f: int, m: int, scale: float, activation: str) -> None:
        super().__init__()
        self.scale: int = check_scale(NAME, scale, SCALES)
        check_count(NAME, "f", f, 1)
        check_count(NAME, "m", m, 0)
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
    """Stack m + 2 convolutions, all but the last with an activation of its own."""
    layers: list[nn.Module] = []
    for in_channels in [3, *[f] * m]:
        layers += [conv(in_channels, f, 3), activation(NAME, name, f)]
    return nn.Sequential(*layers, conv(f, 3 * scale**2, 3))
