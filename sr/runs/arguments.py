"""Arguments of command lines: a parser that refuses in one line, and the types of its options."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Never


class CommandParser(argparse.ArgumentParser):
    """A parser that raises ValueError for a wrong command line, where argparse prints the usage and exits."""

    def error(self, message: str) -> Never:
        """Raise ValueError with the option, what it takes and the command that explains it."""
        text = " ".join(message.removeprefix("argument ").split())
        raise ValueError(f"{text}; see {self.prog} --help")


def whole_number(least: int = 0, most: int | None = None) -> Callable[[str], int]:
    """Return the type of an option that takes a whole number.

    >>> whole_number(1)("12")
    12
    """
    wanted = f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}"

    def convert(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            raise argparse.ArgumentTypeError(f"{wanted} is needed, got {text!r}")
        value = int(text)
        if value < least or (most is not None and value > most):
            raise argparse.ArgumentTypeError(f"{wanted} is needed, got {text!r}")
        return value

    return convert


def finite_number(*, least: float | None = None, above: float | None = None) -> Callable[[str], float]:
    """Return the type of an option that takes a finite number.

    >>> finite_number(above=0)("0.5")
    0.5
    """
    wanted = f"a number above {above:g}" if above is not None else f"a number of at least {least or 0:g}"

    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        fits = math.isfinite(value) and (above is None or value > above) and (least is None or value >= least)
        if not fits:
            raise argparse.ArgumentTypeError(f"{wanted} is needed, got {text!r}")
        return value

    return convert


def path(text: str) -> Path:
    """Return a path; an empty one, as an unset shell variable gives, would be the current folder.

    >>> path("a/b").name
    'b'
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("a path is needed, got an empty text")
    return Path(text)
