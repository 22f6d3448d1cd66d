"""The bar: a training loop with nothing in it but arithmetic."""

import itertools
from collections.abc import Sequence

import torch

from sr.evaluation import to_network
from sr.tasks.regression import Batch, Regression

POOL_BYTES = 256 * 2**20
"""The patches held in RAM: more than any cache holds, so that they come from memory as a loader's do."""
MAX_POOL = 64


class BareLoop:
    """The plain PyTorch loop over patches that lie in RAM, as floats, ready for the net.

    Net, loss, optimizer and schedule are those of a task, channels last; of the task's own work the conversion of
    bytes and the weight average are left out.

    Args:
        task: Whose parts are used; not otherwise trained.
        batches: uint8 (lr, hr), used in turn.
        bf16: Whether the forward runs in bf16 autocast.
        device: Where to train.
    """

    name = "bare PyTorch loop"

    def __init__(self, task: Regression, batches: Sequence[Batch], *, bf16: bool, device: torch.device) -> None:
        self.net, self.loss = task.net.to(device).train(), task.loss.to(device)
        self._bf16, self._device = bf16, device
        parts = task.configure_optimizers()
        self.optimizer, self.scheduler = parts["optimizer"], parts["lr_scheduler"]
        pool = [tuple(to_network(images.to(device), self.net) for images in batch) for batch in batches]
        self._patches = itertools.cycle(pool)

    def run(self, iterations: int) -> None:
        """Train on."""
        for lr, hr in itertools.islice(self._patches, iterations):
            with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._bf16):
                sr = self.net(lr)
            loss = self.loss(sr.float(), hr)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.scheduler.step()


def pool_size(batch_size: int, lr_patch: int, scale: float) -> int:
    """How many batches of floats to hold in RAM.

    >>> pool_size(16, 48, 2), pool_size(16, 96, 4)
    (64, 8)
    """
    num_bytes = batch_size * 3 * lr_patch**2 * (1 + scale**2) * 4
    return max(2, min(MAX_POOL, int(POOL_BYTES / num_bytes)))
