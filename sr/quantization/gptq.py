"""GPTQ: round column by column and compensate the error in the remaining weights and the bias (arXiv 2210.17323)."""

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
from sr.quantization.phases import CONVOLUTION_LAYERS, arranged, inputs_of, kernel_of, kernel_phases
from sr.quantization.simulation import Simulation
from sr.quantization.steps import StepInputs
from sr.quantization.weighted_layers import left_by_pruning, watch, weighted

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Gptq:
    """Round the convolutions with GPTQ, in the order of the forward pass; all layers before one are rounded already.

    x is the input of a convolution in the simulation and y its output in the float net. First the weights become the
    solution of the least squares |y - W x|^2, which removes the error of the layers before. Then they are rounded one
    input after the other. The inverse of E[x x^T] distributes each error over the weights that are not rounded yet and,
    last, the bias, which has a fine grid. Rounding to nearest would add up the errors where neighbouring pixels are
    alike, as in pictures. A weight that pruning set to zero stays zero, and its error is compensated too. There is no
    training, no step size and no random choice except the sampled pixels. A transposed convolution is one convolution
    per phase of its output (`sr.quantization.phases`); all phases share the bias.

    Args:
        name: Name of the folder and in the report.
        damping: Value added to the diagonal of E[x x^T], as a share of its mean; it limits the compensation.
        positions: Number of sampled pixels of a layer's output, in all calibration crops together.

    Raises:
        ValueError: The damping is not positive, or there is no position.

    Source: GPTQ, arXiv 2210.17323; the least squares before it as in GPTAQ, arXiv 2504.02692; the bias is our addition.
    """

    name: str
    damping: float
    positions: int

    def __post_init__(self) -> None:
        if not 0 < self.damping < float("inf") or self.positions < 1:
            raise ValueError(
                f"{self.name} needs a damping above 0 and at least 1 position, got {self.damping} and {self.positions}"
            )

    def check(self, net: Net) -> None:
        """Refuse a net without a convolution, see `NetCheck`."""
        if not any(isinstance(module, CONVOLUTION_LAYERS) for module in net.modules()):
            raise ValueError(f"{self.name}: no layer of the net is a convolution; take another step, such as adaround")

    def __call__(self, simulation: Simulation, inputs: StepInputs) -> Simulation:
        """Round all convolutions in place and fix their ranges. It takes seconds, so nothing is kept for a restart.

        Raises:
            ValueError: The damping is too small to solve a layer.
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
    """Random choice of the pixels of a layer's output, the same for each image of a batch.

    Args:
        batches: Inputs of the net (N, C, h, w).
        count: Approximate number of pixels in all images.
        seed: Seed of the choice.
    """

    def __init__(self, batches: Sequence[Tensor], count: int, seed: int) -> None:
        self.batches, self.seed = batches, seed
        self.each = -(-count // sum(len(batch) for batch in batches))

    def of(self, batch: int, pixels: Tensor) -> Tensor:
        """Return the chosen indices of `pixels` (N, k, P) of batch number `batch`, on its device, the same on each."""
        chance = torch.Generator("cpu").manual_seed(self.seed * len(self.batches) + batch)
        chosen = torch.randperm(pixels.shape[2], generator=chance, device="cpu")[: self.each]
        return chosen.to(pixels.device)


def _convolutions(net: Net, name: str) -> list[str]:
    """Return the names of the layers to round; warn of other layers with weights, which are rounded to nearest."""
    layers = weighted(net)
    found = [layer for layer in layers if isinstance(net.get_submodule(layer), CONVOLUTION_LAYERS)]
    if others := [layer for layer in layers if layer not in found]:
        log.warning("%s leaves %s rounded to nearest: it knows only convolutions", name, ", ".join(others))
    return found


def _outputs(net: nn.Module, names: list[str], places: SampledPixels) -> dict[str, list[Tensor]]:
    """Return the outputs (N, k, P) of layers of the float net at the sampled pixels, for each batch."""
    kept: dict[str, list[Tensor]] = defaultdict(list)

    def keep(name: str, _: Tensor, output: Tensor) -> None:
        pixels = output.flatten(2)
        kept[name].append(pixels[:, :, places.of(len(kept[name]), pixels)])

    watch(net, names, places.batches, keep)
    return kept


def _moments(net: nn.Module, name: str, places: SampledPixels, wanted: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Return E[x x^T] (g, d, d) and E[y x^T] (g, k, d) of each phase of a layer, in float64."""
    layer: Any = net.get_submodule(name)
    sums: list[tuple[Tensor, Tensor]] = []
    batches = iter(enumerate(wanted))

    def add(_: str, inputs: Tensor, output: Tensor) -> None:
        number, target = next(batches)
        seen = places.of(number, output.flatten(2))
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
    """Give a simulated convolution the rounded weights, and the bias, that its moments ask for."""
    weight = layer.weight.detach().as_subclass(Tensor).double()
    steps = quantizer.get_scale().detach().as_subclass(Tensor).double().expand(weight.shape)
    mask = torch.ones_like(weight) if left is None else left.double()
    kernel, scale, mask = (arranged(layer, value) for value in (weight, steps, mask))
    bias = None
    if layer.bias is not None:
        bias = layer.bias.detach().as_subclass(Tensor).double().reshape(layer.groups, -1, 1)
    split = kernel_phases(layer)
    parts = [
        Part(phase.part(kernel), phase.part(scale), phase.part(mask), *its)
        for phase, its in zip(split, moments, strict=True)
    ]
    # LiteRT's kernels have no -128. One step of 8 bits costs nothing; one of 4 bits would.
    low = quantizer.qmin + (1 if quantizer.bitwidth >= 8 else 0)
    weights, bias = solve(Problem(parts, bias, low, quantizer.qmax, damping))
    made = torch.empty_like(kernel)
    for phase, part in zip(split, weights, strict=True):
        phase.put(part, made)
    layer.weight.copy_(kernel_of(layer, made))
    if bias is not None:
        layer.bias.copy_(bias.flatten())
