"""Empirical bias correction: subtract from each bias what quantization adds to the mean of its channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sr.models.net import Net
from sr.quantization.integer import IntegerSimulation
from sr.quantization.simulation import Simulation
from sr.quantization.steps import StepInputs
from sr.quantization.weighted_layers import watch, weighted


@dataclass(frozen=True, kw_only=True)
class BiasCorrection:
    """Correct the biases layer after layer, in the order of the forward pass; all layers before are corrected already.

    For each channel of a convolution b := b + E[y] - E[y']. y is its output in the float net, y' its output in the
    simulation before the output quantizer. The means are over all pixels of the calibration crops. AIMET dropped the
    method with version 2, so it is implemented here.

    Args:
        name: Name of the folder and in the report.

    Source: Data-Free Quantization, arXiv 1906.04721, section 4.2.
    """

    name: str

    def check(self, net: Net) -> None:
        """Refuse a net without a bias, see `NetCheck`."""
        if not any(name.endswith(".bias") for name, _ in net.named_parameters()):
            raise ValueError(f"{self.name}: no layer of {type(net).__name__} has a bias to correct")

    def __call__(self, simulation: Simulation, inputs: StepInputs) -> Simulation:
        """Correct the biases in place, then calibrate the ranges again. It takes seconds, so nothing is kept."""
        assert isinstance(simulation, IntegerSimulation)
        net, teacher = simulation.net, inputs.float_net
        names = biased(net)
        wanted = channel_means(teacher, names, inputs.calibration)
        largest = 0.0
        for name in names:
            found = channel_means(net, [name], inputs.calibration)[name]
            shift = (wanted[name] - found).float()
            layer: Any = net.get_submodule(name)
            with torch.no_grad():
                layer.bias += shift
            largest = max(largest, shift.abs().max().item())
        simulation.figures[f"{self.name}_largest_shift"] = largest
        simulation.calibrate(inputs.calibration)
        return simulation


def biased(net: Net) -> list[str]:
    """Return the names of a simulated net's layers with weight and bias, in the order in which they run."""
    return [name for name in weighted(net) if net.get_submodule(name).bias is not None]


def channel_means(net: nn.Module, names: Sequence[str], inputs: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return the mean over batch and pixels of layer outputs before their own output quantizer, in float64.

    Args:
        net: Float net or simulated net.
        names: Names of layers.
        inputs: Batches (N, C, h, w).

    Returns:
        Layer name -> means (channels,).
    """
    sums: dict[str, Tensor] = {}
    counts = dict.fromkeys(names, 0)

    def add(name: str, _: Tensor, output: Tensor) -> None:
        total = output.double().sum((0, 2, 3))
        sums[name] = sums[name] + total if name in sums else total
        counts[name] += output.numel() // output.shape[1]

    watch(net, names, inputs, add)
    return {name: total / counts[name] for name, total in sums.items()}
