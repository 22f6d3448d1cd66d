"""Attach forward hooks to modules for the duration of a block."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

ForwardHook = Callable[..., Any]
"""After the forward pass: (module, inputs, output) -> None or a new output. Before it: (module, inputs)."""


@contextmanager
def forward_hooks(hooks: Iterable[tuple[nn.Module, ForwardHook]], *, before: bool = False) -> Iterator[None]:
    """Attach forward hooks to modules, and remove them when the block ends, also after an error.

    Args:
        hooks: Pairs of a module and its hook.
        before: Whether the hooks run before the forward pass (pre-hooks) instead of after it.

    Example:
        >>> import torch
        >>> net, shapes = nn.Conv2d(3, 8, 3), []
        >>> with forward_hooks([(net, lambda module, inputs, output: shapes.append(tuple(output.shape)))]):
        ...     _ = net(torch.zeros(1, 3, 5, 5))
        >>> shapes
        [(1, 8, 3, 3)]
    """
    handles = [
        module.register_forward_pre_hook(hook) if before else module.register_forward_hook(hook)
        for module, hook in hooks
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
