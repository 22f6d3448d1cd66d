"""GPTQ: each weight's rounding error is made good by the weights that are rounded after it, in closed form."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sr.models.net import Net
from sr.quantization.integer import IntegerSimulation, weight_quantizers
from sr.quantization.least_squares import Part, Problem, solve
from sr.quantization.phases import CONVOLUTION_LAYERS, arranged, inputs_of, kernel_of, phases
from sr.quantization.simulation import Simulation
from sr.quantization.steps import StepInputs
from sr.quantization.weighted_layers import left_by_pruning, watch, weighted

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Gptq:
    """The stage: layer after layer, in the order of the forward pass, with everything before it already rounded.

    With x what a convolution computes with in the simulation and y what it gives in the float net, its weights first
    become those of the least squares |y - W x|^2, which take back what the layers before it did. Then they are rounded
    one input after the other, and each error goes, by the inverse of E[x x^T], to the weights still to come and last to
    the bias, whose grid is fine. Nearest rounding adds its errors up wherever neighbouring pixels are alike, as in
    pictures they are; here they cancel. What pruning has set to zero stays zero, and is made good like an error of
    rounding. No training, no step size, no random choice but which pixels are looked at. A transposed convolution is a
    convolution for each phase of its output (`sr.quantization.phases`), and all of them share the bias.

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
        if not 0 < self.damping < float("inf") or self.positions < 1:
            raise ValueError(
                f"{self.name} needs a damping above 0 and at least 1 position, got {self.damping} and {self.positions}"
            )

    def __call__(self, simulation: Simulation, inputs: StepInputs) -> Simulation:
        """Round all convolutions in place on their ranges, which are fixed by that. Seconds, so nothing is kept.

        Raises:
            ValueError: a float simulation, a net without convolutions, or a damping too small to solve a layer.
        """
        assert isinstance(simulation, IntegerSimulation)
        names = _convolutions(simulation.net, self.name)
        limits = simulation.weight_ranges()
        simulation.fix_weight_ranges({name: limits[name] for name in names})
        quantizers = weight_quantizers(simulation.aimet)
        places = SampledPixels(inputs.calibration, self.positions, inputs.seed)
        wanted = _outputs(inputs.float_net, names, places)
        left = left_by_pruning(inputs.float_net)
        for name in names:
            layer: Any = simulation.net.get_submodule(name)
            moments = _moments(simulation.net, name, places, wanted.pop(name))
            try:
                _round(layer, quantizers[name], moments, self.damping, left.get(f"{name}.weight"))
            except torch.linalg.LinAlgError as error:
                raise ValueError(
                    f"{self.name}: the equations of {name} have no solution at a damping of {self.damping:g}; "
                    f"take more positions than {self.positions}, or a larger damping, such as 0.01"
                ) from error
        simulation.calibrate(inputs.calibration)
        return simulation


class SampledPixels:
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


def _convolutions(net: Net, name: str) -> list[str]:
    """Names of the layers to round; of others with weights it is said that they are rounded to nearest."""
    layers = weighted(net)
    found = [layer for layer in layers if isinstance(net.get_submodule(layer), CONVOLUTION_LAYERS)]
    if not found:
        raise ValueError(f"{name}: no layer of the net is a convolution; take another step, such as adaround")
    if others := [layer for layer in layers if layer not in found]:
        log.warning("%s leaves %s rounded to nearest: it knows only convolutions", name, ", ".join(others))
    return found


def _outputs(net: nn.Module, names: list[str], places: SampledPixels) -> dict[str, list[Tensor]]:
    """What layers of the float net give at the places, (N, k, P) for each batch."""
    kept: dict[str, list[Tensor]] = defaultdict(list)

    def keep(name: str, _: Tensor, output: Tensor) -> None:
        pixels = output.flatten(2)
        kept[name].append(pixels[:, :, places.of(len(kept[name]), pixels.shape[2])])

    watch(net, names, places.batches, keep)
    return kept


def _moments(net: nn.Module, name: str, places: SampledPixels, wanted: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """E[x x^T] (g, d, d) and E[y x^T] (g, k, d) of each phase of a layer, over the places of all phases, float64."""
    layer: Any = net.get_submodule(name)
    sums: list[tuple[Tensor, Tensor]] = []
    batches = iter(enumerate(wanted))

    def add(_: str, inputs: Tensor, output: Tensor) -> None:
        number, target = next(batches)
        seen = places.of(number, output.flatten(2).shape[2])
        parts = []
        for own, x in inputs_of(layer, inputs, seen, output.shape[3]):
            y = target[:, :, own].transpose(0, 1).reshape(layer.groups, -1, x.shape[2])
            parts.append(((x @ x.mT).double(), (y @ x.mT).double()))
        before = sums or [(torch.zeros_like(second), torch.zeros_like(cross)) for second, cross in parts]
        sums[:] = [(a + c, b + d) for (a, b), (c, d) in zip(before, parts, strict=True)]

    watch(net, [name], places.batches, add)
    count = sum(target.shape[0] * target.shape[2] for target in wanted)
    return [(second / count, cross / count) for second, cross in sums]


@torch.no_grad()
def _round(
    layer: Any, quantizer: Any, moments: list[tuple[Tensor, Tensor]], damping: float, left: Tensor | None
) -> None:
    """Give a simulated convolution the weights on its grid, and the bias, that its moments ask for."""
    weight = layer.weight.detach().as_subclass(Tensor).double()
    steps = quantizer.get_scale().detach().as_subclass(Tensor).double().expand(weight.shape)
    mask = torch.ones_like(weight) if left is None else left.double()
    kernel, scale, mask = (arranged(layer, value) for value in (weight, steps, mask))
    bias = None
    if layer.bias is not None:
        bias = layer.bias.detach().as_subclass(Tensor).double().reshape(layer.groups, -1, 1)
    split = phases(layer)
    parts = [
        Part(phase.part(kernel), phase.part(scale), phase.part(mask), *its)
        for phase, its in zip(split, moments, strict=True)
    ]
    # LiteRT's kernels have no -128; of 8 bits the one step is no loss, of 4 it would be.
    low = quantizer.qmin + (1 if quantizer.bitwidth >= 8 else 0)
    weights, bias = solve(Problem(parts, bias, low, quantizer.qmax, damping))
    made = torch.empty_like(kernel)
    for phase, part in zip(split, weights, strict=True):
        phase.put(part, made)
    layer.weight.copy_(kernel_of(layer, made))
    if bias is not None:
        layer.bias.copy_(bias.flatten())
