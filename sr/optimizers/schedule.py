"""A learning rate's schedule, tried before anything is trained by it."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

WHOLE = ("step_size", "T_max", "total_steps")
"""Settings of torch's schedules that count steps and are divided by."""


def refuse_unusable(key: str, schedule: Callable[[Optimizer], LRScheduler], settings: Mapping[str, Any]) -> None:
    """Take the first steps of a schedule: torch divides by some of its numbers only then.

    Args:
        key: of the schedule in the config.
        schedule: optimizer -> schedule.
        settings: what it was made of.

    Raises:
        ValueError: a length below 1, or a value that the schedule cannot compute with.
    """
    for name in WHOLE:
        if (value := settings.get(name)) is not None and not (type(value) is int and value > 0):
            raise ValueError(f"{key}.{name} is a whole number from 1 on, got {value!r}")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = schedule(optimizer)
            for _ in range(min(2, settings.get("total_steps") or 2)):  # OneCycleLR refuses one more than these
                optimizer.step()
                made.step()
    except (ArithmeticError, ValueError, TypeError) as error:
        given = ", ".join(f"{name}={value}" for name, value in settings.items() if name[0] != "_")
        raise ValueError(f"{key} cannot be computed with {given}: {error}") from error
