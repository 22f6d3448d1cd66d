"""Nearest-neighbour and bicubic upscaling as nets without weights, the baselines of every table."""

from fractions import Fraction

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from sr.functional.resize import taps
from sr.models.blocks import check_scale
from sr.models.net import Net

_SCALES = (1.5, 2, 3, 4)


class Nearest(Net):
    """Upscale by nearest neighbour: sr pixel (y, x) copies lr pixel (floor(y / s), floor(x / s)).

    At x1.5 two pixels a, b become three, a, a, b. QuickSRNet's identity initialisation starts from this image.

    Args:
        scale: 1.5, 2, 3 or 4.

    Raises:
        ValueError: If the scale is not supported.
    """

    def __init__(self, *, scale: float) -> None:
        super().__init__()
        self.scale = check_scale("Nearest", scale, _SCALES)
        self.color = "rgb"
        self.size_multiple = 2 if self.scale == 1.5 else 1
        self.upsample = nn.Upsample(scale_factor=self.scale, mode="nearest")

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) to sr (N, 3, s*h, s*w), same range."""
        return self.upsample(lr)


class Bicubic(Net):
    """Upscale by MATLAB's bicubic (Keys' kernel, a = -1/2, mirrored borders) as a fixed conv and depth-to-space.

    A scale p/q maps each q x q pixels of lr to p x p pixels of sr, by a convolution of stride q with p**2 kernels per
    channel. The output equals `sr.functional.resize.bicubic`, with a static graph that can be exported.

    The output is not clipped: it overshoots [0, 1] at sharp edges, and evaluation clips it. Papers compute their
    "bicubic" row from luma alone; on RGB the same kernel scores up to 0.09 dB higher (Set14).

    Args:
        scale: 1.5, 2, 3 or 4.

    Raises:
        ValueError: If the scale is not supported.
    """

    kernel: Tensor

    def __init__(self, *, scale: float) -> None:
        super().__init__()
        self.scale = check_scale("Bicubic", scale, _SCALES)
        self.color = "rgb"
        ratio = Fraction(self.scale)
        self.size_multiple = ratio.denominator
        lines = _phase_kernels(ratio)
        squares = torch.einsum("ai,bj->abij", lines, lines).flatten(0, 1)
        self.register_buffer("kernel", squares.float().repeat(3, 1, 1)[:, None], persistent=False)
        self.depth_to_space = nn.PixelShuffle(ratio.numerator)

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1], h and w at least 2, to sr (N, 3, s*h, s*w) in about [-0.3, 1.3]."""
        wide = torch.cat([lr[..., :2].flip(-1), lr, lr[..., -2:].flip(-1)], dim=-1)
        mirrored = torch.cat([wide[..., :2, :].flip(-2), wide, wide[..., -2:, :].flip(-2)], dim=-2)
        return self.depth_to_space(conv2d(mirrored, self.kernel, stride=self.size_multiple, groups=3))


def _phase_kernels(ratio: Fraction) -> Tensor:
    """Return the kernels of p output phases in a common window that starts two pixels early, (p, q + 4) float64."""
    start, weight, total = taps(ratio)
    window = torch.zeros(ratio.numerator, ratio.denominator + 4, dtype=torch.float64)
    for row, first, line, whole in zip(window, start + 2, weight, total, strict=True):
        row[first : first + len(line)] = torch.from_numpy(line) / whole
    return window
