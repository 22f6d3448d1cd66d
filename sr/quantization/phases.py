"""What the output pixels of a convolution are summed from: a transposed one in s*s ways, by where the pixel lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

CONVOLUTION_LAYERS = (nn.Conv2d, nn.ConvTranspose2d)


@dataclass(frozen=True)
class Phase:
    """The output pixels of a layer that the same part of its kernel makes.

    A convolution has one phase. A transposed convolution of stride s reaches output pixel o + p, p its padding, through
    the taps k for which k * dilation = o + p modulo s alone: s*s phases, no tap in two of them.

    Args:
        row: o + p modulo s of its pixels.
        column: the same.
        rows: of the kernel.
        columns: of the kernel.
    """

    row: int
    column: int
    rows: Tensor
    columns: Tensor

    def part(self, arranged: Tensor) -> Tensor:
        """Its weights (g, k, d) of a kernel as `arranged` gives it; d = c times its taps."""
        return arranged[..., self.rows[:, None], self.columns].flatten(2)

    def put(self, part: Tensor, arranged: Tensor) -> None:
        """Write its weights (g, k, d) into such a kernel."""
        shape = (*arranged.shape[:3], len(self.rows), len(self.columns))
        arranged[..., self.rows[:, None], self.columns] = part.reshape(shape)


def phases(layer: Any) -> list[Phase]:
    """All phases of a convolution, transposed or not; one that no tap reaches has no rows or no columns."""
    taps = [torch.arange(size) for size in layer.kernel_size]
    if not isinstance(layer, nn.ConvTranspose2d):
        return [Phase(0, 0, *taps)]
    split = [
        [tap[tap * dilation % stride == phase] for phase in range(stride)]
        for tap, dilation, stride in zip(taps, layer.dilation, layer.stride, strict=True)
    ]
    return [
        Phase(row, column, rows, columns)
        for row, rows in enumerate(split[0])
        for column, columns in enumerate(split[1])
    ]


def arranged(layer: Any, kernel: Tensor) -> Tensor:
    """A kernel, or what has its shape, as (groups, outputs of a group, inputs of a group, rows, columns)."""
    if not isinstance(layer, nn.ConvTranspose2d):
        return kernel.reshape(layer.groups, -1, *kernel.shape[1:])
    return kernel.reshape(layer.groups, -1, *kernel.shape[1:]).transpose(1, 2)


def kernel_of(layer: Any, arranged: Tensor) -> Tensor:
    """The kernel that `arranged` was made of."""
    return (arranged.transpose(1, 2) if isinstance(layer, nn.ConvTranspose2d) else arranged).flatten(0, 1)


def inputs_of(layer: Any, inputs: Tensor, places: Tensor, width: int) -> Iterator[tuple[Tensor, Tensor]]:
    """What output pixels are summed from, phase by phase, with a 1 for the bias if there is one.

    Args:
        layer: a convolution of g groups, transposed or not.
        inputs: its input (N, c, h, w).
        places: indices (P,) of output pixels, row by row.
        width: of the output in pixels.

    Yields:
        For each of `phases(layer)` which of the places are its own, booleans (P,), and (g, d, N*P'), P' their number,
        d = c/g times its taps, and one more with a bias.
    """
    if not isinstance(layer, nn.ConvTranspose2d):
        padding: Any = layer.padding
        patches = functional.unfold(inputs, layer.kernel_size, layer.dilation, padding, layer.stride)[:, :, places]
        yield torch.ones_like(places, dtype=torch.bool), _split(layer, patches)
        return
    above, before = int(layer.padding[0]), int(layer.padding[1])  # a transposed convolution has no padding in words
    row, column = places // width + above, places % width + before
    for phase in phases(layer):
        own = (row % layer.stride[0] == phase.row) & (column % layer.stride[1] == phase.column)
        yield own, _split(layer, _reached(layer, inputs, row[own], column[own], phase))


def _reached(layer: nn.ConvTranspose2d, inputs: Tensor, row: Tensor, column: Tensor, phase: Phase) -> Tensor:
    """The input pixels (N, c*taps, P) behind output pixels of one phase; those outside the image are 0."""
    lines, inside = [], []
    places = ((row, phase.rows), (column, phase.columns))
    for axis, (place, taps) in enumerate(places):
        line = (place - taps[:, None] * layer.dilation[axis]) // layer.stride[axis]  # no remainder in this phase
        inside.append((line >= 0) & (line < inputs.shape[2 + axis]))
        lines.append(line.clamp(0, inputs.shape[2 + axis] - 1))
    reached = inputs[:, :, lines[0][:, None], lines[1][None]] * (inside[0][:, None] & inside[1][None])
    return reached.flatten(1, 3)


def _split(layer: Any, patches: Tensor) -> Tensor:
    """Patches (N, c*taps, P) by group as (g, d, N*P), with a 1 for the bias if the layer has one."""
    rows = patches.shape[1] // layer.groups  # not -1: a phase may have no taps
    split = patches.transpose(0, 1).reshape(layer.groups, rows, patches.shape[0] * patches.shape[2])
    ones = split.new_ones(layer.groups, 1, split.shape[2])
    return split if layer.bias is None else torch.cat([split, ones], dim=1)
