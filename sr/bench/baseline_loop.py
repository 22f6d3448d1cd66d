"""Baseline of training: a plain PyTorch loop."""

import itertools
from collections.abc import Sequence

import torch

from sr.data.patches import Batch
from sr.evaluation import to_network
from sr.tasks.regression import Regression

POOL_BYTES = 256 * 2**20
"""Size of the patches in RAM: larger than any CPU cache, so that patches are read from memory as from a loader."""
_MAX_BATCHES = 64


class BaselineLoop:
    """Train with a plain PyTorch loop on float patches in RAM.

    Net, loss, optimizer and schedule are those of a task, in channels-last format. Conversion from bytes and weight
    average (EMA) are left out.

    Args:
        task: The task that provides net, loss and optimizer.
        batches: Pairs (lr, hr) of uint8 patches, used cyclically.
        bf16: Whether the forward pass uses bf16 autocast.
        device: Device for training.
    """

    name = "plain PyTorch loop"

    def __init__(self, task: Regression, batches: Sequence[Batch], *, bf16: bool, device: torch.device) -> None:
        self.net, self.loss = task.net.to(device).train(), task.loss.to(device)
        self._bf16, self._device = bf16, device
        parts = task.configure_optimizers()
        self.optimizer, self.scheduler = parts["optimizer"], parts["lr_scheduler"]
        pool = [tuple(to_network(images.to(device), self.net) for images in batch) for batch in batches]
        self._patches = itertools.cycle(pool)

    def run(self, iterations: int) -> None:
        """Train for a number of further iterations."""
        for lr, hr in itertools.islice(self._patches, iterations):
            with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._bf16):
                sr = self.net(lr)
            loss = self.loss(sr.float(), hr)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.scheduler.step()


def pool_size(batch_size: int, lr_patch: int, scale: float) -> int:
    """Return the number of float batches to hold in RAM, between 2 and 64.

    Args:
        batch_size: Patches of a batch.
        lr_patch: LR pixels per side of a patch.
        scale: Upscaling factor.

    Example:
        >>> pool_size(16, 48, 2), pool_size(16, 96, 4)
        (64, 8)
    """
    num_bytes = batch_size * 3 * lr_patch**2 * (1 + scale**2) * 4
    return max(2, min(_MAX_BATCHES, int(POOL_BYTES / num_bytes)))
