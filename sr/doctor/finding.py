"""What a check says."""

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Finding(NamedTuple):
    """One line of the doctor's report: "ok", "note", "warning" or "broken".

    `broken` means that numbers cannot be had or trusted until it is mended.
    """

    what: str
    state: str
    detail: str


def examine(what: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Run a check; what it raises is one more finding, so that one broken thing does not hide the others."""
    found: list[Finding] = []
    try:
        for finding in check():
            found.append(finding)  # one by one: what was found before an error is kept
    except ModuleNotFoundError as error:
        found.append(Finding(what, "broken", f"{error}; install the project again: make install"))
    except ValueError as error:  # ours, and says what to do
        found.append(Finding(what, "broken", str(error)))
    except Exception as error:  # a broken installation raises what it likes, and the doctor is there to tell
        found.append(Finding(what, "broken", f"{type(error).__name__}: {error}"))
    return found
