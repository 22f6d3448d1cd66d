"""Untrained upscaling: nearest neighbour and bicubic, the baselines of every table."""

from fractions import Fraction

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from sr.functional.resize import taps
from sr.models.blocks import check_scale
from sr.models.net import Net

SCALES = (1.5, 2, 3, 4)


class Nearest(Net):
    """Repeat pixels: sr pixel (y, x) copies lr pixel (y / s, x / s), rounded down.

    At x1.5 two pixels a, b become three, a, a, b: the image that QuickSRNet's identity initialisation starts from.

    Args:
        scale: 1.5, 2, 3 or 4.

    Raises:
        ValueError: for another scale.
    """

    def __init__(self, *, scale: float) -> None:
        super().__init__()
        self.scale = check_scale("Nearest", scale, SCALES)
        self.color = "rgb"
        self.size_multiple = 2 if self.scale == 1.5 else 1
        self.upsample = nn.Upsample(scale_factor=self.scale, mode="nearest")

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) to sr (N, 3, s*h, s*w), same range."""
        return self.upsample(lr)


class Bicubic(Net):
    """MATLAB's bicubic (Keys' kernel, a = -1/2, borders mirrored) as one fixed convolution and depth-to-space.

    A scale p/q turns every q x q pixels of lr into p x p of sr: a convolution of stride q with p**2 kernels a channel.
    The image is that of `sr.functional.resize.bicubic`, in a static graph that exports.

    Not clipped: it overshoots [0, 1] at sharp edges, and evaluation clips when it rounds. Papers make their "bicubic"
    row from luma alone; from RGB the same kernel reads up to 0.09 dB higher (Set14).

    Args:
        scale: 1.5, 2, 3 or 4.

    Raises:
        ValueError: for another scale.
    """

    kernel: Tensor

    def __init__(self, *, scale: float) -> None:
        super().__init__()
        self.scale = check_scale("Bicubic", scale, SCALES)
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
    """Line up the taps of an upscaling by p/q in one window that starts two pixels early: (p, q + 4) float64."""
    start, weight, total = taps(ratio)
    window = torch.zeros(ratio.numerator, ratio.denominator + 4, dtype=torch.float64)
    for row, first, line, whole in zip(window, start + 2, weight, total, strict=True):
        row[first : first + len(line)] = torch.from_numpy(line) / whole
    return window
