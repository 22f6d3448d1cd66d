"""A step's forward and backward pass as CUDA graphs: a mobile net's kernels take less time than launching them."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from sr.evaluation import to_network
from sr.models.net import Net

log = logging.getLogger(__name__)

Objective = Callable[[Tensor, Tensor], Tensor]


class PixelObjective(nn.Module):
    """The loss of a batch of uint8 (lr, hr), the forward pass in bf16 autocast or in fp32.

    Args:
        net: the net, in its training form.
        loss: module (sr, hr) -> scalar.
        bf16: whether the forward pass runs in bf16 autocast.
    """

    def __init__(self, net: Net, loss: nn.Module, *, bf16: bool) -> None:
        super().__init__()
        self.net, self.loss, self.bf16 = net, loss, bf16

    def forward(self, lr: Tensor, hr: Tensor) -> Tensor:
        """Upscale lr (N, 3, h, w) and compare with hr (N, 3, s*h, s*w), both uint8; a scalar."""
        x, target = to_network(lr, self.net), to_network(hr, self.net)
        # A graph cannot keep casts of the weights from one step to the next.
        with torch.autocast(lr.device.type, torch.bfloat16, enabled=self.bf16, cache_enabled=False):
            sr = self.net(x)
        return self.loss(sr.float(), target)


def captured(objective: nn.Module, lr: Tensor, hr: Tensor) -> Objective:
    """Record an objective for batches like this one; where that fails, say so and return it as it is.

    The passes that warm it up leave neither batch-norm statistics nor random numbers changed.

    Args:
        objective: module (lr, hr) -> scalar, whose parameters get their gradients from `backward()` as before.
        lr: a batch on the device that trains; only its shape matters.
        hr: likewise.

    Returns:
        What to call in its place; on a CPU, the objective itself.
    """
    if lr.device.type != "cuda":
        return objective
    try:
        with buffers_kept(objective), torch.random.fork_rng(devices=[lr.device]):
            recorded = cast(Objective, torch.cuda.make_graphed_callables(objective, (lr.clone(), hr.clone())))
    except RuntimeError as error:
        log.warning("the step cannot be recorded as a CUDA graph (%s); it is launched kernel by kernel", error)
        torch.cuda.synchronize()
        return objective
    return copying(recorded)


def copying(objective: Objective) -> Objective:
    """Return an objective that gives a copy of each loss; a CUDA graph writes all of them to one place.

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
    """Put a module's buffers (batch-norm statistics) back, in place, after the work inside."""
    before = [(buffer, buffer.detach().clone()) for buffer in module.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in before:
                buffer.copy_(value)
