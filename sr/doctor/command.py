"""Command line of `python -m sr.doctor [--root ../shared/data] [--skip-slow]`."""

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sr.doctor.data_sets import (
    QUICK_SETS,
    SETS,
    TOLERANCE_DB,
    BicubicRow,
    bicubic_rows,
    check_manifest,
    check_rows,
    check_set,
    present,
)
from sr.doctor.environment import check_environment
from sr.doctor.finding import Finding, examine
from sr.doctor.traps import check_bsds, check_copies, check_lookalikes, check_urban, images_of_sets, training_images
from sr.runs.arguments import CommandParser, path
from sr.runs.failures import one_line_errors
from sr.runs.folders import ROOT, data_root

_PIPE_WIDTH = 160
_STYLES = {"ok": "green", "note": "cyan", "warning": "yellow", "broken": "bold red"}


def parser() -> CommandParser:
    """Return the argument parser."""
    made = CommandParser(
        prog="python -m sr.doctor",
        description="Check the environment, the test sets and known problems of image sets; recompute published PSNR "
        "values of bicubic. The exit status is 1 if something is broken.",
    )
    made.add_argument(
        "--root", type=path, default=data_root(), help="folder of image sets; default: SR_DATA, or %(default)s"
    )
    made.add_argument(
        "--skip-slow", action="store_true", help="check only Set5 and Set14, and skip the search for similar pictures"
    )
    return made


def check_image_sets(root: Path, rows: list[BicubicRow], *, skip_slow: bool) -> Iterator[Finding]:
    """Check the image sets in a folder.

    Args:
        root: The folder.
        rows: List to which the bicubic rows are appended.
        skip_slow: Whether to check only Set5 and Set14, and to skip the search for similar pictures.

    Yields:
        The findings.
    """
    if not root.is_dir():
        yield Finding("image sets", "note", f"no folder {root}; set it with --root or SR_DATA")
        return
    yield from examine("manifest", partial(check_manifest, root))
    for name in SETS:
        yield from examine(name, partial(check_set, name, root))
        if present(name, root) and not (skip_slow and name not in QUICK_SETS):
            yield from examine(f"bicubic on {name}", partial(_bicubic, name, root, rows))
    yield from check_traps(root, skip_slow=skip_slow)


def check_traps(root: Path, *, skip_slow: bool) -> Iterator[Finding]:
    """Check that training images and test sets in a folder do not overlap.

    Args:
        root: The folder.
        skip_slow: Whether to skip the search for similar pictures.

    Yields:
        The findings.
    """
    try:
        training = training_images(root)
    except ValueError as error:
        yield Finding("overlap", "note", f"no images to compare: {error}")
        return
    tests = images_of_sets(root)
    checks = {
        "Urban100 SRF_2": partial(check_urban, root),
        "BSDS val = BSD100": partial(check_bsds, training),
        "copies of test images": partial(check_copies, training, tests),
        "pictures of test sets": partial(check_lookalikes, training, tests),
    }
    if skip_slow:
        del checks["pictures of test sets"]
    for what, check in checks.items():
        yield from examine(what, check)


def _bicubic(name: str, root: Path, rows: list[BicubicRow]) -> Iterator[Finding]:
    measured = list(bicubic_rows(name, root))
    rows += measured
    return check_rows(measured)


def show_findings(title: str, findings: Sequence[Finding], console: Console) -> None:
    """Print findings as a table.

    Args:
        title: Title of the table.
        findings: The rows.
        console: Output.
    """
    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("check", "state", "finding"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "state")
    for what, state, detail in findings:
        table.add_row(Text(what), Text(state, style=_STYLES[state]), Text(detail))
    console.print(table)


def show_rows(rows: Sequence[BicubicRow], console: Console) -> None:
    """Print bicubic rows: published value, measured value, difference.

    Args:
        rows: The rows.
        console: Output.
    """
    title = Text(f"bicubic, PSNR in dB, tolerance {TOLERANCE_DB}", style="bold")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("set", "scale", "protocol", "published", "measured", "difference"):
        table.add_column(heading, justify="left" if heading in ("set", "protocol") else "right")
    for row in rows:
        difference = Text(f"{row.difference_db:+.3f}", style="green" if row.reproduced else "bold red")
        values = (f"x{row.scale}", row.protocol, f"{row.published_db:.3f}", f"{row.measured_db:.3f}")
        table.add_row(row.test_set, *values, difference)
    console.print(table)


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run all checks, print the findings and return the exit status."""
    options = parser().parse_args(arguments)
    console = Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)
    environment = list(check_environment(ROOT / "constraints.txt"))
    show_findings("environment", environment, console)
    rows: list[BicubicRow] = []
    data = list(check_image_sets(options.root, rows, skip_slow=options.skip_slow))
    show_findings(f"image sets in {options.root}", data, console)
    if rows:
        show_rows(rows, console)
    states = [finding.state for finding in (*environment, *data)]
    console.print(", ".join(f"{states.count(state)} {state}" for state in _STYLES if state in states))
    return exit_status([*environment, *data])


def exit_status(findings: Sequence[Finding]) -> int:
    """Return 1 if a finding is "broken", else 0."""
    return int(any(finding.state == "broken" for finding in findings))
