"""What a check says."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

STATES = ("ok", "note", "warning", "broken")


class Finding(NamedTuple):
    """One line of the doctor's report; `broken` means that numbers cannot be had or trusted until it is mended."""

    what: str
    state: str
    detail: str


def examine(what: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Run a check; whatever it raises is a finding too, so that one broken thing does not hide the others."""
    try:
        return list(check())
    except ModuleNotFoundError as error:
        return [Finding(what, "broken", f"{error}; install the project again: make install")]
    except ValueError as error:  # ours, and says what to do
        return [Finding(what, "broken", str(error))]
    except Exception as error:  # a broken installation raises what it likes, and the doctor is there to tell
        return [Finding(what, "broken", f"{type(error).__name__}: {error}")]
