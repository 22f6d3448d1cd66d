"""Empirical bias correction: what quantization adds to the mean of each channel is taken off its bias."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sr.models.net import Net
from sr.quantization.integer import IntegerSimulation
from sr.quantization.scheme import Material
from sr.quantization.simulation import Simulation, example_input


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

    def __call__(self, simulation: Simulation, material: Material) -> Simulation:
        """Correct the biases in place, then calibrate the ranges anew. Takes seconds, so nothing is kept for a kill.

        Raises:
            ValueError: a float simulation, or a net without a bias.
        """
        assert isinstance(simulation, IntegerSimulation)
        net, teacher = simulation.net, material.float_net
        names = biased(net)
        if not names:
            raise ValueError(f"{self.name}: no layer of {type(material.float_net).__name__} has a bias to correct")
        wanted = channel_means(teacher, names, material.calibration)
        largest = 0.0
        for name in names:
            found = channel_means(net, [name], material.calibration)[name]
            shift = (wanted[name] - found).float()
            layer: Any = net.get_submodule(name)
            with torch.no_grad():
                layer.bias += shift
            largest = max(largest, shift.abs().max().item())
        simulation.figures[f"{self.name}_largest_shift"] = largest
        simulation.observe(material.calibration)
        return simulation


def biased(net: Net) -> list[str]:
    """Names of a simulated net's layers with weight and bias, in the order in which they are run."""
    layers = [
        (name, module)
        for name, module in net.named_modules()
        if getattr(module, "bias", None) is not None and "weight" in getattr(module, "param_quantizers", ())
    ]
    order: list[str] = []
    hooks = [layer.register_forward_pre_hook(lambda *_, name=name: order.append(name)) for name, layer in layers]
    with torch.no_grad():
        net(example_input(net))
    for hook in hooks:
        hook.remove()
    return order


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

    def add(name: str, output: Tensor) -> None:
        plain = output.detach().as_subclass(Tensor).double()
        sums[name] = sums.get(name, torch.zeros(plain.shape[1], dtype=torch.float64)) + plain.sum((0, 2, 3))
        counts[name] += plain.numel() // plain.shape[1]

    layers: dict[str, Any] = {name: net.get_submodule(name) for name in names}
    removed = {name: _take_quantizer(layer) for name, layer in layers.items()}
    hooks = [
        layer.register_forward_hook(lambda _, __, output, name=name: add(name, output))
        for name, layer in layers.items()
    ]
    try:
        with torch.no_grad():
            for batch in inputs:
                net(batch)
    finally:
        for hook in hooks:
            hook.remove()
        for name, layer in layers.items():
            if removed[name] is not None:
                layer.output_quantizers[0] = removed[name]
    return {name: total / counts[name] for name, total in sums.items()}


def _take_quantizer(layer: Any) -> Any:
    quantizers = getattr(layer, "output_quantizers", None)
    if quantizers is None:
        return None
    quantizer, quantizers[0] = quantizers[0], None
    return quantizer
