"""Phases of a convolution: a transposed one of stride s is s*s ordinary ones, chosen by the output pixel's position."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

CONVOLUTION_LAYERS = (nn.Conv2d, nn.ConvTranspose2d)


@dataclass(frozen=True)
class Phase:
    """Output pixels of a layer that are made by the same part of its kernel.

    A convolution has one phase. A transposed convolution of stride s and padding p makes output pixel o only with the
    taps k for which k * dilation = o + p modulo s. So it has s*s phases, and no tap belongs to two of them.

    Args:
        row: (o + p) modulo s of its pixels' rows.
        column: The same of their columns.
        rows: Kernel rows, a 1-D tensor of indices.
        columns: Kernel columns, a 1-D tensor of indices.
    """

    row: int
    column: int
    rows: Tensor
    columns: Tensor

    def part(self, arranged: Tensor) -> Tensor:
        """Return this phase's weights (g, k, d) of a kernel in the shape of `arranged`; d is c times its taps."""
        return arranged[..., self.rows[:, None], self.columns].flatten(2)

    def put(self, part: Tensor, arranged: Tensor) -> None:
        """Write the weights of this phase (g, k, d) into a kernel in the shape of `arranged`."""
        shape = (*arranged.shape[:3], len(self.rows), len(self.columns))
        arranged[..., self.rows[:, None], self.columns] = part.reshape(shape)


def kernel_phases(layer: Any) -> list[Phase]:
    """Return all phases of a convolution, transposed or not; a phase without taps has no rows or no columns.

    >>> [len(kernel_phases(layer)) for layer in (nn.Conv2d(1, 1, 3), nn.ConvTranspose2d(1, 1, 4, stride=2))]
    [1, 4]
    """
    taps = [torch.arange(size, device=layer.weight.device) for size in layer.kernel_size]
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
    """Reshape a kernel, or a tensor of its shape, to (groups, outputs per group, inputs per group, rows, columns).

    >>> arranged(nn.ConvTranspose2d(6, 4, 3, groups=2), torch.zeros(6, 2, 3, 3)).shape
    torch.Size([2, 2, 3, 3, 3])
    """
    if not isinstance(layer, nn.ConvTranspose2d):
        return kernel.reshape(layer.groups, -1, *kernel.shape[1:])
    return kernel.reshape(layer.groups, -1, *kernel.shape[1:]).transpose(1, 2)


def kernel_of(layer: Any, arranged: Tensor) -> Tensor:
    """Reshape the result of `arranged` back to the layer's kernel."""
    return (arranged.transpose(1, 2) if isinstance(layer, nn.ConvTranspose2d) else arranged).flatten(0, 1)


def inputs_of(layer: Any, inputs: Tensor, places: Tensor, width: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the inputs that output pixels are summed from, phase by phase, with a 1 for the bias if there is one.

    Args:
        layer: Convolution of g groups, transposed or not.
        inputs: Its input (N, c, h, w).
        places: Indices (P,) of output pixels, row by row.
        width: Width of the output in pixels.

    Yields:
        For each of `kernel_phases(layer)` booleans (P,) that select its pixels, and its inputs (g, d, N*P'). P' is the
        number of selected pixels; d is c/g times the taps of the phase, plus one with a bias.
    """
    if not isinstance(layer, nn.ConvTranspose2d):
        padding: Any = layer.padding
        patches = functional.unfold(inputs, layer.kernel_size, layer.dilation, padding, layer.stride)[:, :, places]
        yield torch.ones_like(places, dtype=torch.bool), _split(layer, patches)
        return
    above, before = int(layer.padding[0]), int(layer.padding[1])  # never "same" or "valid" here
    row, column = places // width + above, places % width + before
    for phase in kernel_phases(layer):
        own = (row % layer.stride[0] == phase.row) & (column % layer.stride[1] == phase.column)
        yield own, _split(layer, _reached(layer, inputs, row[own], column[own], phase))


def _reached(layer: nn.ConvTranspose2d, inputs: Tensor, row: Tensor, column: Tensor, phase: Phase) -> Tensor:
    """Return the input pixels (N, c*taps, P) of the output pixels of one phase; those outside the image are 0."""
    lines, inside = [], []
    places = ((row, phase.rows), (column, phase.columns))
    for axis, (place, taps) in enumerate(places):
        line = (place - taps[:, None] * layer.dilation[axis]) // layer.stride[axis]  # no remainder in this phase
        inside.append((line >= 0) & (line < inputs.shape[2 + axis]))
        lines.append(line.clamp(0, inputs.shape[2 + axis] - 1))
    reached = inputs[:, :, lines[0][:, None], lines[1][None]] * (inside[0][:, None] & inside[1][None])
    return reached.flatten(1, 3)


def _split(layer: Any, patches: Tensor) -> Tensor:
    """Split patches (N, c*taps, P) by group to (g, d, N*P), with a 1 for the bias if the layer has one."""
    rows = patches.shape[1] // layer.groups  # not -1: a phase may have no taps
    split = patches.transpose(0, 1).reshape(layer.groups, rows, patches.shape[0] * patches.shape[2])
    ones = split.new_ones(layer.groups, 1, split.shape[2])
    return split if layer.bias is None else torch.cat([split, ones], dim=1)
