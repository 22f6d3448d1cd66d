"""Values that the processes of one training exchange; each function returns its argument where there is one process."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, distributed, nn

LOST = ("connection closed by peer", "connection reset by peer", "connection refused", "broken pipe", "socket timeout")
"""Parts of the messages with which torch reports that another process is gone."""


def num_processes() -> int:
    """Return the number of processes that train together now; 1 outside a training."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def process_rank() -> int:
    """Return the number of this process among those that train together now, from 0."""
    return distributed.get_rank() if num_processes() > 1 else 0


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over all processes, in one exchange of all values.

    Args:
        parameters: Parameters; those without a gradient have none in any process.
    """
    if num_processes() == 1:
        return
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = average(torch.cat([grad.reshape(-1) for grad in grads]))
    parts = flat.split([grad.numel() for grad in grads])
    torch._foreach_copy_(grads, [part.view(grad.shape) for part, grad in zip(parts, grads, strict=True)])


@torch.no_grad()
def average(values: Tensor) -> Tensor:
    """Return the mean of a tensor over all processes, without a gradient.

    Args:
        values: Tensor of the same shape in each process; it is overwritten where there are several.
    """
    if num_processes() == 1:
        return values
    distributed.all_reduce(values)
    return values.div_(num_processes())


def shared_mean(values: Tensor) -> Tensor:
    """Return the mean of a tensor over all processes, through which gradients flow.

    A loss that contains a mean over the batch needs it: the loss of each process then has the gradient that it would
    have in the whole batch.

    Args:
        values: Tensor of the same shape in each process, such as the mean over its part of the batch.
    """
    if num_processes() == 1:
        return values
    mean: Tensor = _SharedMean.apply(values)
    return mean


class _SharedMean(torch.autograd.Function):
    """Mean over the processes; its gradient is the mean of their gradients."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        """Return the mean."""
        return average(values.clone())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """Return the mean gradient."""
        return average(grads[0].contiguous().clone())


def whole_batch(rows: Tensor) -> Tensor:
    """Return the batch of which each process has every n-th row.

    Args:
        rows: (N, ...), of the same shape in each process.

    Returns:
        (n * N, ...) for n processes.
    """
    if num_processes() == 1:
        return rows
    parts = [torch.empty_like(rows.contiguous()) for _ in range(num_processes())]
    distributed.all_gather(parts, rows.contiguous())
    return torch.stack(parts, dim=1).flatten(0, 1)


def own_rows(batch: Tensor) -> Tensor:
    """Return this process's rows of a batch: every n-th, from its rank on, for n processes.

    >>> own_rows(torch.arange(4)).tolist()
    [0, 1, 2, 3]
    """
    return batch[process_rank() :: num_processes()]


def agreed(value: bool) -> bool:
    """Return what process 0 says of a value that may differ by chance."""
    if num_processes() == 1:
        return value
    said = torch.tensor(value)
    distributed.broadcast(said, src=0)
    return bool(said)


def send_state(modules: Sequence[nn.Module]) -> None:
    """Give all processes the parameters and buffers of process 0; the modules are on the CPU."""
    if num_processes() == 1:
        return
    with torch.no_grad():
        for module in modules:
            for value in module.state_dict().values():
                if isinstance(value, Tensor):
                    sent = value.detach().as_subclass(Tensor).contiguous()
                    distributed.broadcast(sent, src=0)
                    value.copy_(sent)


def is_lost(error: BaseException) -> bool:
    """Return whether an error says that another process of the training is gone.

    >>> is_lost(RuntimeError("[pair.cc:547] Connection closed by peer [127.0.0.1]:4711")), is_lost(RuntimeError("x"))
    (True, False)
    """
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(part in text for part in LOST)
