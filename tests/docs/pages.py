"""Fenced blocks of README.md and docs/*.md that hold commands, and the rule that says which of them a test runs."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?P<kind>\w*)(?P<more>[^\n]*)\n(?P<body>.*?)^```", re.M | re.S)
COMMAND = re.compile(r"^(?:python -m sr\.|sr )(?P<name>[a-z]+)\b(?P<rest>.*)$")
REASON = re.compile(r'^ title="Not run by a test: (?P<reason>[^"]{10,})"$')


class Block(NamedTuple):
    """One fenced block."""

    page: str
    kind: str
    reason: str | None
    """Why no test runs its commands; None where `test_commands_run.py` runs them."""
    lines: list[str]
    """Without comments; a line that ends with a backslash is joined with the next."""


def blocks() -> Iterator[Block]:
    """Yield all fenced blocks of the pages.

    Raises:
        ValueError: If a block of commands has a title that is no reason.
    """
    for page in PAGES:
        for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
            why = REASON.match(found["more"])
            if found["more"] and not why:
                raise ValueError(f'{page.name}: write console title="Not run by a test: <reason>", not {found["more"]}')
            joined = re.sub(r" *\\\n *", " ", found["body"]).splitlines()
            lines = [re.sub(r"(^|\s+)# .*$", "", line.strip()) for line in joined]
            yield Block(page.name, found["kind"], why["reason"] if why else None, [line for line in lines if line])


def commands() -> list[tuple[str, str, str]]:
    """Return page, program and arguments of each command of this project."""
    return sorted(
        {
            (block.page, found["name"], found["rest"].strip())
            for block in blocks()
            for line in block.lines
            if (found := COMMAND.match(line))
        }
    )


def words(rest: str) -> list[str]:
    """Split arguments as a shell does; `<what a reader fills in>` is one word."""
    return shlex.split(re.sub(r"<[^>]*>", lambda found: found[0].replace(" ", "_"), rest))
