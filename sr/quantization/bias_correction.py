"""Empirical bias correction: what quantization adds to the mean of each channel is taken off its bias."""

from __future__ import annotations

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
    """The stage: layer after layer, in the order of the forward pass, with everything before it already corrected.

    For each channel of a convolution b := b + E[y] - E[y'], y what it gives in the float net, y' what it gives in the
    simulation before its own output is quantized, the means over all pixels of the calibration crops. AIMET has dropped
    the method from version 2 on, so this is ours.

    Args:
        name: word for folder and report.

    Source: Data-Free Quantization, arXiv 1906.04721, section 4.2.
    """

    name: str

    def __call__(self, simulation: Simulation, inputs: StepInputs) -> Simulation:
        """Correct the biases in place, then calibrate the ranges anew. Takes seconds, so nothing is kept for a kill.

        Raises:
            ValueError: a float simulation, or a net without a bias.
        """
        assert isinstance(simulation, IntegerSimulation)
        net, teacher = simulation.net, inputs.float_net
        names = biased(net)
        if not names:
            raise ValueError(f"{self.name}: no layer of {type(inputs.float_net).__name__} has a bias to correct")
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
    """Names of a simulated net's layers with weight and bias, in the order in which they are run."""
    return [name for name in weighted(net) if net.get_submodule(name).bias is not None]


def channel_means(net: nn.Module, names: Sequence[str], inputs: Sequence[Tensor]) -> dict[str, Tensor]:
    """Mean over batch and pixels of what layers give, before an output quantizer of their own, in float64.

    Args:
        net: a float net, or a simulated one.
        names: of layers.
        inputs: batches (N, C, h, w).

    Returns:
        Name -> (channels of the layer,).
    """
    sums: dict[str, Tensor] = {}
    counts = dict.fromkeys(names, 0)

    def add(name: str, _: Tensor, output: Tensor) -> None:
        sums[name] = sums.get(name, torch.zeros(output.shape[1], dtype=torch.float64)) + output.double().sum((0, 2, 3))
        counts[name] += output.numel() // output.shape[1]

    watch(net, names, inputs, add)
    return {name: total / counts[name] for name, total in sums.items()}
