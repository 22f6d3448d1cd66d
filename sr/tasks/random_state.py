"""States of torch's random generators (CPU, and GPU if one trains) in a checkpoint."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

CPU, GPU = "random_state", "gpu_random_state"


def random_states(device: torch.device) -> dict[str, Tensor]:
    """Return the states of the random generators that training on a device uses.

    Example:
        >>> list(random_states(torch.device("cpu")))
        ['random_state']
    """
    states = {CPU: torch.get_rng_state()}
    return states | {GPU: torch.cuda.get_rng_state(device)} if device.type == "cuda" else states


def set_random_states(states: Mapping[str, Any], device: torch.device) -> None:
    """Restore the random generators; that of the GPU only if the checkpoint has its state.

    Args:
        states: Checkpoint with the entries of `random_states`.
        device: The training device.
    """
    torch.set_rng_state(states[CPU].cpu())
    if device.type == "cuda" and GPU in states:
        torch.cuda.set_rng_state(states[GPU].cpu(), device)
