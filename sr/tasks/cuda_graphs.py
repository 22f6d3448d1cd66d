"""CUDA graphs of a training step: a mobile net's kernels take less time than their launches."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from sr.devices.synced_batch_norm import SyncedBatchNorm2d
from sr.evaluation import to_network
from sr.models.net import Net

log = logging.getLogger(__name__)

Objective = Callable[[Tensor, Tensor], Tensor]


class PixelObjective(nn.Module):
    """Compute the loss of a batch of uint8 (lr, hr).

    Args:
        net: The net in its training form.
        loss: Module (sr, hr) -> scalar.
        bf16: Whether the forward pass runs in bf16 autocast; fp32 otherwise.
    """

    def __init__(self, net: Net, loss: nn.Module, *, bf16: bool) -> None:
        super().__init__()
        self.net, self.loss, self.bf16 = net, loss, bf16

    def forward(self, lr: Tensor, hr: Tensor) -> Tensor:
        """Return the loss of lr (N, 3, h, w) and hr (N, 3, s*h, s*w), both uint8, as a scalar."""
        x, target = to_network(lr, self.net), to_network(hr, self.net)
        # A CUDA graph cannot cache the cast weights between steps.
        with torch.autocast(lr.device.type, torch.bfloat16, enabled=self.bf16, cache_enabled=False):
            sr = self.net(x)
        return self.loss(sr.float(), target)


def captured(objective: nn.Module, lr: Tensor, hr: Tensor) -> Objective:
    """Record an objective as a CUDA graph; if that fails, log a warning and return the objective unchanged.

    The warm-up passes change neither the batch-norm statistics nor the random state.

    Args:
        objective: Module (lr, hr) -> scalar.
        lr: LR batch on the training device; only its shape matters.
        hr: HR batch on the training device; only its shape matters.

    Returns:
        A replacement for the objective; on a CPU, the objective itself.
    """
    if lr.device.type != "cuda":
        return objective
    if any(isinstance(module, SyncedBatchNorm2d) for module in objective.modules()):
        log.warning("batch normalization over several devices is not recorded as a CUDA graph; training is slower")
        return objective
    try:
        with buffers_kept(objective), torch.random.fork_rng(devices=[lr.device]):
            recorded = cast(Objective, torch.cuda.make_graphed_callables(objective, (lr.clone(), hr.clone())))
    except RuntimeError as error:
        log.warning(
            "the training step cannot be recorded as a CUDA graph (%s); training runs without it, more slowly", error
        )
        torch.cuda.synchronize()
        return objective
    return copying(recorded)


def copying(objective: Objective) -> Objective:
    """Return an objective that copies each loss, because a CUDA graph writes every loss to the same tensor.

    Example:
        >>> place = torch.zeros(())
        >>> objective = copying(lambda lr, hr: place.add_(1))
        >>> [loss.item() for loss in [objective(place, place), objective(place, place)]]
        [1.0, 2.0]
    """

    def copied(lr: Tensor, hr: Tensor) -> Tensor:
        return objective(lr, hr).clone()

    return copied


@contextmanager
def buffers_kept(module: nn.Module) -> Iterator[None]:
    """Restore a module's buffers (batch-norm statistics) in place at the end of the context."""
    before = [(buffer, buffer.detach().clone()) for buffer in module.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in before:
                buffer.copy_(value)
