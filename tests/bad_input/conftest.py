"""CPU time of the tables of bad input, printed at the end of a session."""

import time
from collections.abc import Iterator

import pytest

SPENT: list[float] = []
"""CPU seconds of this process for each bad line."""
MOST_S = 180
"""For 300 lines: CPU seconds that are not to be exceeded."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Measure each line of the tables."""
    began = time.process_time()
    result = yield
    if hasattr(item, "callspec"):
        SPENT.append(time.process_time() - began)
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figure."""
    if SPENT:
        per_300 = 300 * sum(SPENT) / len(SPENT)
        text = f"{len(SPENT)} bad lines took {sum(SPENT):.0f} s of CPU ({per_300:.0f} s for 300, at most {MOST_S})"
        terminalreporter.write_line(text, red=per_300 > MOST_S)
