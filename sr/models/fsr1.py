"""AMD FidelityFX Super Resolution 1.0: an edge-adaptive upscaler (EASU), then an adaptive sharpener (RCAS).

Source: the shader ffx_fsr1.h of GPUOpen-Effects/FidelityFX-FSR (MIT), whose formulas these are. It has no paper; it is
row "FSR1.0" of table 5 in QuickSRNet, arXiv 2303.04336.

Differences from the shader: divisions and roots are exact where it approximates them, a division by zero in RCAS means
"do not sharpen here", and RCAS repeats the border pixel where the shader reads whatever lies outside. AMD means it for
scales up to 2; 3 and 4 run by the same formulas.
"""

import functools
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from sr.models.blocks import check_scale
from sr.models.net import Net

SCALES = (1.5, 2, 3, 4)

# The 12 taps (row, column) around an sr pixel, relative to the lr pixel at its upper left; the first four are nearest.
TAPS = ((0, 0), (0, 1), (1, 0), (1, 1), (-1, 0), (-1, 1), (0, -1), (0, 2), (1, -1), (1, 2), (2, 0), (2, 1))
FLAT = 1 / 32768  # squared gradient below which there is no direction
SHARPEST = 0.25 - 1 / 16  # largest negative weight of a neighbour in RCAS


class Edge(NamedTuple):
    """The edge at a pixel; each field is (N, 1, H, W)."""

    x: Tensor  # gradient of luma, 0 to 2 for black to white over two pixels
    y: Tensor
    strength: Tensor  # 0: flat or a thin line, 2: a clean edge along both axes


class FSR1(Net):
    """EASU and RCAS on tensors; nothing to train.

    Expects display-referred (gamma-coded) RGB in [0, 1], which ordinary photographs and game frames are.

    Args:
        scale: 1.5 (AMD's "quality"), 2 ("performance"), 3 or 4.
        sharpness: Sharpening in stops below the maximum: 0 is the sharpest, each further 1 halves it; at least 0.
        denoise: True sharpens isolated pixels less (the shader's FSR_RCAS_DENOISE).

    Raises:
        ValueError: for another scale or a negative sharpness.
    """

    def __init__(self, *, scale: float, sharpness: float, denoise: bool) -> None:
        super().__init__()
        self.scale = check_scale("FSR1", scale, SCALES)
        if sharpness < 0:
            raise ValueError(f"FSR1 needs sharpness of at least 0 stops (0 is the sharpest), got {sharpness}.")
        self.sharpness = sharpness
        self.denoise = denoise
        self.color = "rgb"
        self.size_multiple = 2 if self.scale == 1.5 else 1

    def forward(self, lr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) in [0, 1] to sr (N, 3, s*h, s*w) in [0, 1]."""
        return rcas(easu(lr, self.scale), sharpness=self.sharpness, denoise=self.denoise)


def easu(lr: Tensor, scale: float) -> Tensor:
    """Upscale with 12 taps of a Lanczos-like kernel that is turned along the local edge and stretched on it.

    Args:
        lr: (N, 3, h, w) in [0, 1].
        scale: output size / input size, at least 1.

    Returns:
        (N, 3, scale * h, scale * w); each pixel lies between the smallest and the largest of the four nearest of lr.

    Example:
        >>> easu(torch.full((1, 3, 4, 4), 0.5), 2).unique()
        tensor([0.5000])
    """
    rows, fy = _positions(lr.shape[2], scale, lr)
    columns, fx = _positions(lr.shape[3], scale, lr)
    fy = fy[:, None]

    def at(image: Tensor, margin: int, row: int, column: int) -> Tensor:
        return image.index_select(2, rows + (margin + row)).index_select(3, columns + (margin + column))

    padded = pad(lr, (2, 2, 2, 2), mode="replicate")
    colours = [at(padded, 2, row, column) for row, column in TAPS]
    bilinear = [(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx]
    nearest = list(zip(TAPS[:4], bilinear, strict=True))
    edge = Edge(*(_sum([at(part, 1, *tap) * share for tap, share in nearest]) for part in _edges(_luma(padded))))
    weights = _weights(edge, [(row - fy, column - fx) for row, column in TAPS])
    sr = _sum([colour * weight for colour, weight in zip(colours, weights, strict=True)]) / _sum(weights)
    lowest, highest = torch.stack(colours[:4]).aminmax(dim=0)
    return torch.minimum(torch.maximum(sr, lowest), highest)


def rcas(image: Tensor, *, sharpness: float, denoise: bool) -> Tensor:
    """Sharpen with a cross of five taps, as far as no channel leaves the range of its neighbourhood towards 0 or 1.

    Args:
        image: (N, 3, H, W) in [0, 1].
        sharpness: Stops below the maximum, 0 is the sharpest.
        denoise: True sharpens isolated pixels less, down to half.

    Returns:
        (N, 3, H, W) in [0, 1].

    Example:
        >>> rcas(torch.tensor([0.4, 0.4, 0.6, 0.6]).expand(1, 3, 1, 4), sharpness=0.0, denoise=False)[0, 0, 0]
        tensor([0.4000, 0.3000, 0.7000, 0.6000])
    """
    padded = pad(image, (1, 1, 1, 1), mode="replicate")
    ring = torch.stack(
        [padded[:, :, :-2, 1:-1], padded[:, :, 1:-1, :-2], padded[:, :, 1:-1, 2:], padded[:, :, 2:, 1:-1]]
    )
    low, high = ring.aminmax(dim=0)
    tiny = torch.finfo(image.dtype).tiny
    to_black = torch.minimum(low, image) / (4 * high).clamp_min(tiny)
    to_white = (1 - torch.maximum(high, image)) / (4 - 4 * low).clamp_min(tiny)
    lobe = -torch.minimum(to_black, to_white).amin(dim=1, keepdim=True).clamp(0, SHARPEST) * 2.0**-sharpness
    if denoise:
        lobe = lobe * _calm(_luma(image), _luma(ring.flatten(0, 1)).unflatten(0, (4, -1)))
    return (image + lobe * ring.sum(dim=0)) / (1 + 4 * lobe)


def _positions(size: int, scale: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """For each sr pixel of an axis: the lr pixel at or before it (from -1 on) and how far it is beyond, in [0, 1)."""
    ratio = Fraction(scale)
    out = torch.arange(size * ratio.numerator // ratio.denominator, device=like.device, dtype=like.dtype)
    position = (out + 0.5) / scale - 0.5  # pixel centres fall together
    before = position.floor()
    return before.long(), position - before


def _luma(rgb: Tensor) -> Tensor:
    """Twice the shader's approximate luma, R/2 + G + B/2: (N, 3, H, W) in [0, 1] to (N, 1, H, W) in [0, 2]."""
    return 0.5 * rgb[:, 0:1] + rgb[:, 1:2] + 0.5 * rgb[:, 2:3]


def _edges(luma: Tensor) -> Edge:
    """Find the edge at each pixel but the outermost: (N, 1, H, W) luma to (N, 1, H - 2, W - 2)."""
    here = luma[:, :, 1:-1, 1:-1]
    x, strength_x = _edge_along(luma[:, :, 1:-1, :-2], here, luma[:, :, 1:-1, 2:])
    y, strength_y = _edge_along(luma[:, :, :-2, 1:-1], here, luma[:, :, 2:, 1:-1])
    return Edge(x, y, strength_x + strength_y)


def _edge_along(before: Tensor, here: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient along one axis, and its strength: 1 where luma goes one way, 0 where it turns back (a thin line)."""
    gradient = after - before
    steepest = torch.maximum((after - here).abs(), (here - before).abs())
    return gradient, (gradient.abs() / steepest.clamp_min(torch.finfo(here.dtype).tiny)).clamp(0, 1).square()


def _weights(edge: Edge, offsets: list[tuple[Tensor, Tensor]]) -> list[Tensor]:
    """Weigh the taps at (row, column) offsets in lr pixels by the kernel that follows the edge.

    The kernel approximates Lanczos 2: 25/16 (2/5 d^2 - 1)^2 - 9/16, in a window (lobe d^2 - 1)^2 that ends at
    d^2 = 1/lobe, which is sqrt(2) pixels away in flat areas and beyond 2 on edges.
    """
    squared = edge.x.square() + edge.y.square()
    flat = squared < FLAT
    norm = squared.clamp_min(FLAT).sqrt()
    x = torch.where(flat, torch.ones_like(norm), edge.x / norm)
    y = torch.where(flat, edge.y, edge.y / norm)
    strength = (edge.strength / 2).square()
    diagonal = (x.square() + y.square()) / torch.maximum(x.abs(), y.abs())  # 1 along an axis, sqrt(2) on the diagonal
    across, along = 1 + (diagonal - 1) * strength, 1 - 0.5 * strength
    lobe = 0.5 - 0.29 * strength
    weights = []
    for row, column in offsets:
        distance = ((column * x + row * y) * across).square() + ((row * x - column * y) * along).square()
        distance = torch.minimum(distance, 1 / lobe)
        base = 25 / 16 * (0.4 * distance - 1).square() - 9 / 16
        weights.append(base * (lobe * distance - 1).square())
    return weights


def _calm(here: Tensor, ring: Tensor) -> Tensor:
    """Return 1 where a pixel is like its four neighbours (4, N, 1, H, W), down to 1/2 where it sticks out of them."""
    all_five = torch.cat([here[None], ring])
    low, high = all_five.aminmax(dim=0)
    noise = (ring.mean(dim=0) - here).abs() / (high - low).clamp_min(torch.finfo(here.dtype).tiny)
    return 1 - 0.5 * noise.clamp(0, 1)


def _sum(terms: list[Tensor]) -> Tensor:
    """Add up tensors in their order."""
    return functools.reduce(torch.add, terms)
