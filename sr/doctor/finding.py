"""Results of checks."""

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Finding(NamedTuple):
    """Result of a check, with the state "ok", "note", "warning" or "broken".

    "broken" means that numbers cannot be computed or trusted until the problem is solved.
    """

    what: str
    state: str
    detail: str


def examine(what: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """Run a check and return its findings; an exception becomes a finding, so that the other checks still run.

    Args:
        what: Name of the check.
        check: Function that yields findings.
    """
    found: list[Finding] = []
    try:
        for finding in check():
            found.append(finding)  # one by one, to keep the findings before an error
    except ModuleNotFoundError as error:
        found.append(Finding(what, "broken", f"{error}; install the project again: make install"))
    except ValueError as error:  # raised by this project, with advice
        found.append(Finding(what, "broken", str(error)))
    except Exception as error:  # a broken installation may raise any exception, which must be reported
        found.append(Finding(what, "broken", f"{type(error).__name__}: {error}"))
    return found
