"""GPTQ: each weight's rounding error is made good by the weights that are rounded after it, in closed form."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sr.models.net import Net
from sr.quantization.integer import IntegerSimulation, weight_quantizers
from sr.quantization.layers import left_by_pruning, watch, weighted
from sr.quantization.scheme import Material
from sr.quantization.simulation import Simulation

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Gptq:
    """The stage: layer after layer, in the order of the forward pass, with everything before it already rounded.

    With x what a convolution computes with in the simulation and y what it gives in the float net, its weights first
    become those of the least squares |y - W x|^2, which take back what the layers before it did. Then they are rounded
    one input after the other, and each error goes, by the inverse of E[x x^T], to the weights still to come and last to
    the bias, whose grid is fine. Nearest rounding adds its errors up wherever neighbouring pixels are alike, as in
    pictures they are; here they cancel. What pruning has set to zero stays zero, and is made good like an error of
    rounding. No training, no step size, no random choice but which pixels are looked at.

    Args:
        name: word for folder and report.
        damping: what is added to the diagonal of E[x x^T], as a share of its mean: how far weights may go to make good.
        positions: pixels of a layer's output that are looked at, in all calibration crops together.

    Raises:
        ValueError: a damping that is not positive, or no position.

    Source: GPTQ, arXiv 2210.17323; the least squares before it as in GPTAQ, arXiv 2504.02692; the bias is ours.
    """

    name: str
    damping: float
    positions: int

    def __post_init__(self) -> None:
        if self.damping <= 0 or self.positions < 1:
            raise ValueError(
                f"{self.name} needs a damping above 0 and at least 1 position, got {self.damping} and {self.positions}"
            )

    def __call__(self, simulation: Simulation, material: Material) -> Simulation:
        """Round all convolutions in place on their ranges, which are fixed by that. Seconds, so nothing is kept.

        Raises:
            ValueError: a float simulation, or a net without convolutions.
        """
        assert isinstance(simulation, IntegerSimulation)
        names = _convolutions(simulation.net, self.name)
        limits = simulation.weight_ranges()
        simulation.fix_weight_ranges({name: limits[name] for name in names})
        quantizers = weight_quantizers(simulation.aimet)
        places = Places(material.calibration, self.positions, material.seed)
        wanted = _outputs(material.float_net, names, places)
        left = left_by_pruning(material.float_net)
        for name in names:
            layer: Any = simulation.net.get_submodule(name)
            moments = _moments(simulation.net, name, places, wanted.pop(name))
            _round(layer, quantizers[name], moments, self.damping, left.get(f"{name}.weight"))
        simulation.observe(material.calibration)
        return simulation


class Places:
    """Which pixels of a layer's output are looked at: in each batch the same of every image, by chance.

    Args:
        batches: inputs of the net (N, C, h, w).
        count: of them in all, about.
        seed: of the choice.
    """

    def __init__(self, batches: Sequence[Tensor], count: int, seed: int) -> None:
        self.batches, self.seed = batches, seed
        self.each = -(-count // sum(len(batch) for batch in batches))

    def of(self, batch: int, pixels: int) -> Tensor:
        """Indices below `pixels`, those of an image in batch number `batch`."""
        chance = torch.Generator().manual_seed(self.seed * len(self.batches) + batch)
        return torch.randperm(pixels, generator=chance)[: self.each]


def columns(layer: nn.Conv2d, inputs: Tensor, places: Tensor) -> Tensor:
    """What each output pixel of a convolution is summed from, with a 1 for the bias if it has one.

    Args:
        layer: a convolution of g groups.
        inputs: its input (N, c, h, w).
        places: indices (P,) of output pixels.

    Returns:
        (g, d, N*P), d = c/g times the kernel's pixels, and one more with a bias.
    """
    padding: Any = layer.padding
    patches = functional.unfold(inputs, layer.kernel_size, layer.dilation, padding, layer.stride)[:, :, places]
    split = patches.transpose(0, 1).reshape(layer.groups, -1, len(inputs) * len(places))
    return split if layer.bias is None else torch.cat([split, torch.ones_like(split[:, :1])], dim=1)


def rounded(weights: Tensor, scale: Tensor, low: int, high: int, inverse: Tensor, left: Tensor) -> Tensor:
    """Round all but the columns that `scale` does not reach, each error made good by the columns behind it.

    Args:
        weights: (g, k, d).
        scale: steps of the grid (g, k, n), of the first n columns; those behind stay what they become.
        low: smallest integer of the grid.
        high: largest.
        inverse: of E[x x^T], (g, d, d).
        left: 1 for a weight, 0 for one that has to be zero, (g, k, n).
    """
    made = weights.clone()
    factor = torch.linalg.cholesky(inverse, upper=True)
    for column in range(scale.shape[-1]):
        before = made[:, :, column].clone()
        integers = (before / scale[:, :, column]).round().clamp(low, high) * left[:, :, column]
        made[:, :, column] = integers * scale[:, :, column]
        error = (before - made[:, :, column]) / factor[:, column, column, None]
        made[:, :, column + 1 :] -= error[:, :, None] * factor[:, None, column, column + 1 :]
    return made


def _convolutions(net: Net, name: str) -> list[str]:
    """Names of the layers to round; of others with weights it is said that they are rounded to nearest."""
    layers = weighted(net)
    found = [layer for layer in layers if isinstance(net.get_submodule(layer), nn.Conv2d)]
    if not found:
        raise ValueError(f"{name}: no layer of the net is a convolution; take another step, such as adaround")
    if others := [layer for layer in layers if layer not in found]:
        log.warning("%s leaves %s rounded to nearest: it knows only convolutions", name, ", ".join(others))
    return found


def _outputs(net: nn.Module, names: list[str], places: Places) -> dict[str, list[Tensor]]:
    """What layers of the float net give at the places, (N, k, P) for each batch."""
    kept: dict[str, list[Tensor]] = defaultdict(list)

    def keep(name: str, _: Tensor, output: Tensor) -> None:
        pixels = output.flatten(2)
        kept[name].append(pixels[:, :, places.of(len(kept[name]), pixels.shape[2])])

    watch(net, names, places.batches, keep)
    return kept


def _moments(net: nn.Module, name: str, places: Places, wanted: list[Tensor]) -> tuple[Tensor, Tensor]:
    """E[x x^T] (g, d, d) and E[y x^T] (g, k, d) of a layer over all places, float64."""
    layer: Any = net.get_submodule(name)
    sums: list[Tensor] = []
    batches = iter(enumerate(wanted))

    def add(_: str, inputs: Tensor, output: Tensor) -> None:
        number, target = next(batches)
        x = columns(layer, inputs, places.of(number, output.flatten(2).shape[2]))
        y = target.transpose(0, 1).reshape(layer.groups, -1, x.shape[2])
        parts = [(x @ x.mT).double(), (y @ x.mT).double()]
        sums[:] = [old + new for old, new in zip(sums, parts, strict=True)] if sums else parts

    watch(net, [name], places.batches, add)
    count = sum(target.shape[0] * target.shape[2] for target in wanted)
    return sums[0] / count, sums[1] / count


@torch.no_grad()
def _round(layer: Any, quantizer: Any, moments: tuple[Tensor, Tensor], damping: float, left: Tensor | None) -> None:
    """Give a simulated convolution the weights on its grid, and the bias, that its moments ask for."""
    second, cross = moments
    kernel = layer.weight.detach().as_subclass(Tensor).double().reshape(layer.groups, -1, layer.weight[0].numel())
    scale = quantizer.get_scale().detach().as_subclass(Tensor).double().reshape(-1, 1)
    scale = scale.expand(layer.out_channels, kernel.shape[2]).reshape(kernel.shape)
    weights = kernel
    if layer.bias is not None:
        bias = layer.bias.detach().as_subclass(Tensor).double()
        weights = torch.cat([kernel, bias.reshape(layer.groups, -1, 1)], dim=2)
    size = second.diagonal(dim1=1, dim2=2).mean(1).clamp(min=torch.finfo(torch.float32).tiny)
    second = second + damping * size[:, None, None] * torch.eye(second.shape[1], dtype=second.dtype)
    inverse = torch.linalg.inv(second)
    best = weights + (cross - weights @ moments[0]) @ inverse
    # LiteRT's kernels have no -128; of 8 bits the one step is no loss, of 4 it would be.
    low = quantizer.qmin + (1 if quantizer.bitwidth >= 8 else 0)
    mask = torch.ones_like(kernel) if left is None else left.double().reshape(kernel.shape)
    made = rounded(best, scale, low, quantizer.qmax, inverse, mask)
    layer.weight.copy_(made[:, :, : kernel.shape[2]].reshape(layer.weight.shape))
    if layer.bias is not None:
        layer.bias.copy_(made[:, :, -1].flatten())
