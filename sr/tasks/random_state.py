"""The state of torch's random generators in a checkpoint: the CPU's, and the GPU's where one trains."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

CPU, GPU = "random_state", "gpu_random_state"


def random_states(device: torch.device) -> dict[str, Tensor]:
    """Return the states of the generators that a training on a device draws from.

    >>> list(random_states(torch.device("cpu")))
    ['random_state']
    """
    states = {CPU: torch.get_rng_state()}
    return states | {GPU: torch.cuda.get_rng_state(device)} if device.type == "cuda" else states


def set_random_states(states: Mapping[str, Any], device: torch.device) -> None:
    """Set the generators to the states of a checkpoint; the GPU's where both it and the training have one.

    Args:
        states: What `random_states` gave, among other entries of a checkpoint.
        device: The device that trains.
    """
    torch.set_rng_state(states[CPU].cpu())
    if device.type == "cuda" and GPU in states:
        torch.cuda.set_rng_state(states[GPU].cpu(), device)
