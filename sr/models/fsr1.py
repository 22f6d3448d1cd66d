"""AMD FidelityFX Super Resolution 1.0: an edge-adaptive upscaler (EASU), then an adaptive sharpener (RCAS).

Source: the shader ffx_fsr1.h of GPUOpen-Effects/FidelityFX-FSR (MIT), which defines the formulas. There is no paper; it
is row "FSR1.0" of table 5 in QuickSRNet, arXiv 2303.04336.

Differences from the shader:
- Divisions and roots are exact; the shader approximates them.
- A division by zero in RCAS means no sharpening at this pixel.
- RCAS repeats the border pixel; the shader reads undefined values there.
- AMD intends scales up to 2; x3 and x4 use the same formulas.
"""

import functools
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from sr.models.blocks import check_scale
from sr.models.net import Net

_SCALES = (1.5, 2, 3, 4)

# The 12 taps (row, column) around an sr pixel, relative to the lr pixel at its upper left; the nearest four come first.
_TAPS = ((0, 0), (0, 1), (1, 0), (1, 1), (-1, 0), (-1, 1), (0, -1), (0, 2), (1, -1), (1, 2), (2, 0), (2, 1))
_FLAT = 1 / 32768  # squared gradient below which an edge has no direction
_SHARPEST = 0.25 - 1 / 16  # largest negative weight of a neighbour in RCAS


class _Edge(NamedTuple):
    """Local edge at each pixel; every field has shape (N, 1, H, W)."""

    x: Tensor  # gradient of luma, 0 to 2 for black to white over two pixels
    y: Tensor
    strength: Tensor  # 0: flat or a thin line, 2: a clean edge along both axes


class FSR1(Net):
    """Upscale with EASU and sharpen with RCAS; there are no weights to train.

    The input is display-referred (gamma-coded) RGB in [0, 1], as in ordinary photographs and game frames.

    Args:
        scale: 1.5 (AMD's "quality"), 2 ("performance"), 3 or 4.
        sharpness: Sharpening in stops below the maximum, at least 0: 0 is the sharpest, each stop halves it.
        denoise: Whether to sharpen isolated pixels less (the shader's FSR_RCAS_DENOISE).

    Raises:
        ValueError: If the scale is not supported or the sharpness is negative.
    """

    def __init__(self, *, scale: float, sharpness: float, denoise: bool) -> None:
        super().__init__()
        self.scale = check_scale("FSR1", scale, _SCALES)
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
    """Upscale with a Lanczos-like kernel of 12 taps that is rotated to the local edge and stretched along it.

    Args:
        lr: (N, 3, h, w) in [0, 1].
        scale: Output size / input size, at least 1.

    Returns:
        (N, 3, scale * h, scale * w); each pixel is clamped to the range of the four nearest lr pixels.

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
    colours = [at(padded, 2, row, column) for row, column in _TAPS]
    bilinear = [(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx]
    nearest = list(zip(_TAPS[:4], bilinear, strict=True))
    edge = _Edge(*(_sum([at(part, 1, *tap) * share for tap, share in nearest]) for part in _edges(_luma(padded))))
    weights = _weights(edge, [(row - fy, column - fx) for row, column in _TAPS])
    sr = _sum([colour * weight for colour, weight in zip(colours, weights, strict=True)]) / _sum(weights)
    lowest, highest = torch.stack(colours[:4]).aminmax(dim=0)
    return torch.minimum(torch.maximum(sr, lowest), highest)


def rcas(image: Tensor, *, sharpness: float, denoise: bool) -> Tensor:
    """Sharpen with a cross of five taps; the strength is limited so that no channel leaves [0, 1].

    Args:
        image: (N, 3, H, W) in [0, 1].
        sharpness: Stops below the maximum; 0 is the sharpest.
        denoise: Whether to sharpen isolated pixels less, down to half.

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
    lobe = -torch.minimum(to_black, to_white).amin(dim=1, keepdim=True).clamp(0, _SHARPEST) * 2.0**-sharpness
    if denoise:
        lobe = lobe * _noise_factor(_luma(image), _luma(ring.flatten(0, 1)).unflatten(0, (4, -1)))
    return (image + lobe * ring.sum(dim=0)) / (1 + 4 * lobe)


def _positions(size: int, scale: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each sr pixel of an axis the lr pixel at or before it (at least -1) and the offset in [0, 1)."""
    ratio = Fraction(scale)
    out = torch.arange(size * ratio.numerator // ratio.denominator, device=like.device, dtype=like.dtype)
    position = (out + 0.5) / scale - 0.5  # pixel centres are aligned
    before = position.floor()
    return before.long(), position - before


def _luma(rgb: Tensor) -> Tensor:
    """Return twice the shader's approximate luma, R/2 + G + B/2: (N, 3, H, W) in [0, 1] to (N, 1, H, W) in [0, 2]."""
    return 0.5 * rgb[:, 0:1] + rgb[:, 1:2] + 0.5 * rgb[:, 2:3]


def _edges(luma: Tensor) -> _Edge:
    """Compute the edge at each inner pixel, luma (N, 1, H, W) to (N, 1, H - 2, W - 2)."""
    here = luma[:, :, 1:-1, 1:-1]
    x, strength_x = _edge_along(luma[:, :, 1:-1, :-2], here, luma[:, :, 1:-1, 2:])
    y, strength_y = _edge_along(luma[:, :, :-2, 1:-1], here, luma[:, :, 2:, 1:-1])
    return _Edge(x, y, strength_x + strength_y)


def _edge_along(before: Tensor, here: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradient along one axis and its strength: 1 if luma is monotonic, 0 on a thin line."""
    gradient = after - before
    steepest = torch.maximum((after - here).abs(), (here - before).abs())
    return gradient, (gradient.abs() / steepest.clamp_min(torch.finfo(here.dtype).tiny)).clamp(0, 1).square()


def _weights(edge: _Edge, offsets: list[tuple[Tensor, Tensor]]) -> list[Tensor]:
    """Return the weights of taps at (row, column) offsets in lr pixels for the kernel aligned to the edge.

    The kernel approximates Lanczos 2: 25/16 (2/5 d^2 - 1)^2 - 9/16, times a window (lobe d^2 - 1)^2 that ends at
    d^2 = 1/lobe. That is at sqrt(2) pixels in flat areas and beyond 2 pixels on edges.
    """
    squared = edge.x.square() + edge.y.square()
    flat = squared < _FLAT
    norm = squared.clamp_min(_FLAT).sqrt()
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


def _noise_factor(here: Tensor, ring: Tensor) -> Tensor:
    """Return 1 if a pixel equals its four neighbours (4, N, 1, H, W), down to 1/2 for an isolated pixel."""
    all_five = torch.cat([here[None], ring])
    low, high = all_five.aminmax(dim=0)
    noise = (ring.mean(dim=0) - here).abs() / (high - low).clamp_min(torch.finfo(here.dtype).tiny)
    return 1 - 0.5 * noise.clamp(0, 1)


def _sum(terms: list[Tensor]) -> Tensor:
    """Return the sum of tensors, added in the given order."""
    return functools.reduce(torch.add, terms)
