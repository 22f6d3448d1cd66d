"""What a setting may be: each check names the key as it is typed, what it takes, and what it got."""

import math
from collections.abc import Sequence
from typing import Any


def count(key: str, value: Any, *, least: int = 1, most: int | None = None) -> int:
    """A whole number from `least` on, up to `most`.

    Raises:
        ValueError: anything else.

    >>> count("data.batch_size", 16)
    16
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        bounds = f"from {least} on" if most is None else f"from {least} to {most}"
        raise ValueError(f"{key} is a whole number {bounds}, got {value!r}")
    return value


def number(key: str, value: Any, *, least: float | None = None, above: float = -math.inf) -> float:
    """A finite number that is `least` or more, or above `above`.

    Raises:
        ValueError: anything else.

    >>> number("train.budget", 0.1, above=0)
    0.1
    """
    wanted = f"above {above:g}" if least is None else f"from {least:g} on"
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not fits or not (value > above if least is None else value >= least):
        raise ValueError(f"{key} is a number {wanted}, got {value!r}")
    return value


def names(key: str, value: str | Sequence[str]) -> Sequence[str]:
    """A list of names; one without its brackets would be read letter by letter.

    Raises:
        ValueError: a single name.

    >>> names("data.test", ["set5"])
    ['set5']
    """
    if isinstance(value, str):
        raise ValueError(f"{key} is a list, got {value!r}; write {key}=[{value}]")
    return value
