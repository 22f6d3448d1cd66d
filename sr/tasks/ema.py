"""Exponential moving average of the weights of a net."""

import copy

import torch
from torch import nn

from sr.models.net import Net


class WeightAverage(nn.Module):
    """Average the weights: average <- decay * average + (1 - decay) * weights after each optimizer step.

    In early steps the decay is at most (1 + step) / (10 + step), so that the random initial weights lose their
    influence. The average is a second net, so a checkpoint contains both.

    Args:
        net: The net to train; it is copied.
        decay: Decay in (0, 1); 0.999 averages over about the last thousand steps.

    Raises:
        ValueError: If the decay is outside (0, 1).
    """

    def __init__(self, net: Net, decay: float) -> None:
        super().__init__()
        if not 0 < decay < 1:
            raise ValueError(
                f"the weight average needs a decay in (0, 1), got {decay}; train.ema_decay=0 switches it off"
            )
        self.net = copy.deepcopy(net).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, net: nn.Module, step: int) -> None:
        """Update the average with the weights of `net` after optimizer step number `step` (from 1)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.net.parameters()), [p.detach() for p in net.parameters()], 1 - decay)
        for average, buffer in zip(self.net.buffers(), net.buffers(), strict=True):
            average.copy_(buffer)
