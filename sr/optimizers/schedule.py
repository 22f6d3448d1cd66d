"""Check a learning rate schedule before training."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

_STEP_COUNTS = ("step_size", "T_max", "total_steps")
"""Settings of torch's schedules that count steps; torch divides by them."""


def refuse_unusable(key: str, schedule: Callable[[Optimizer], LRScheduler], settings: Mapping[str, Any]) -> None:
    """Raise ValueError for a schedule that torch cannot compute, found by taking its first steps.

    Args:
        key: Name of the schedule in the config, for the error message.
        schedule: Constructor (optimizer) -> schedule.
        settings: Settings of the schedule.

    Raises:
        ValueError: If a number of steps is below 1, or the schedule fails in its first steps.
    """
    for name in _STEP_COUNTS:
        if (value := settings.get(name)) is not None and not (type(value) is int and value > 0):
            raise ValueError(f"{key}.{name} must be a whole number of at least 1, got {value!r}")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = schedule(optimizer)
            for _ in range(min(2, settings.get("total_steps") or 2)):  # OneCycleLR raises after total_steps
                optimizer.step()
                made.step()
    except (ArithmeticError, ValueError, TypeError) as error:
        given = ", ".join(f"{name}={value}" for name, value in settings.items() if name[0] != "_")
        raise ValueError(f"{key} cannot be computed with {given}: {error}") from error
