"""The parameters of a simulated net, to compare before and after."""

import torch
from torch import Tensor

from sr.quantization.simulation import Simulation


def state(simulation: Simulation) -> dict[str, Tensor]:
    """Copies of all parameters, weights and ranges, by name."""
    return {name: p.detach().clone() for name, p in simulation.net.named_parameters()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    """Whether two of these are equal bit for bit."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
