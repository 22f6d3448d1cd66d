"""Checks of single values: each names the key as it is typed, what it takes, and what it got."""

import math
from collections.abc import Sequence
from typing import Any


def count(key: str, value: Any, *, least: int = 1, most: int | None = None) -> int:
    """Return a whole number from `least` to `most`.

    Raises:
        ValueError: anything else.

    >>> count("data.batch_size", 16)
    16
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{key} is a whole number {bounds}, got {as_typed(value)}{_whole(value)}")
    return value


def number(
    key: str,
    value: Any,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> float:
    """Return a finite number within the bounds that are given.

    Raises:
        ValueError: anything else.

    >>> number("train.budget", 0.1, above=0)
    0.1
    """
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    fits = fits and (least is None or value >= least) and (above is None or value > above)
    if not fits or not ((most is None or value <= most) and (below is None or value < below)):
        words = {"of at least": least, "above": above, "at most": most, "below": below}
        limits = " and ".join(f"{word} {limit:g}" for word, limit in words.items() if limit is not None)
        if least is not None and most is not None:
            limits = f"from {least:g} to {most:g}"
        raise ValueError(f"{key} is a number{limits and ' '}{limits}, got {as_typed(value)}")
    return value


def names(key: str, value: str | Sequence[str]) -> Sequence[str]:
    """Return a list of names; one without its brackets would be read letter by letter.

    Raises:
        ValueError: a single name.

    >>> names("data.test", ["set5"])
    ['set5']
    """
    if isinstance(value, str):
        raise ValueError(f"{key} is a list, got {value!r}; write {key}=[{value}]")
    return value


def as_typed(value: Any) -> str:
    """Return a value as it is written on the command line.

    >>> as_typed(None), as_typed(True), as_typed("abc")
    ('null', 'true', "'abc'")
    """
    return (
        {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else repr(value)
    )


def _whole(value: Any) -> str:
    """Advise the same number without its fraction or exponent, where there is one."""
    return f"; write {int(value)}" if isinstance(value, float) and value.is_integer() else ""
