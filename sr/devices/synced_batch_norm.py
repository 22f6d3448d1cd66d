"""Batch normalization over the whole batch of a training on several devices."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from sr.devices.collectives import num_processes, shared_mean


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """Normalize with the mean and the variance of the whole batch, of which each process has an equal part.

    torch's own `SyncBatchNorm` refuses tensors on a CPU, where the tests compare several processes with one.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalized features (N, C, h, w)."""
        if not self.training or num_processes() == 1:
            return super().forward(input)
        assert self.momentum is not None and self.running_mean is not None and self.running_var is not None
        values = input.to(torch.promote_types(input.dtype, torch.float32))
        mean = shared_mean(values.mean((0, 2, 3)))
        centred = values - mean[:, None, None]
        variance = shared_mean(centred.square().mean((0, 2, 3)))
        with torch.no_grad():
            count = input.numel() // input.shape[1] * num_processes()
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
            if self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
        normal = centred * (variance + self.eps).rsqrt()[:, None, None]
        if self.affine:
            normal = normal * self.weight[:, None, None] + self.bias[:, None, None]
        return normal.to(input.dtype)


@contextmanager
def synced_batch_norms(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Let the batch normalizations of some modules use the whole batch inside the block.

    The class of each is exchanged in place, so that names, optimizers and checkpoints stay as they are.

    Args:
        modules: Nets to train.
    """
    found = [each for module in modules for each in module.modules() if type(each) is nn.BatchNorm2d]
    for each in found:
        each.__class__ = SyncedBatchNorm2d
    try:
        yield
    finally:
        for each in found:
            each.__class__ = nn.BatchNorm2d
