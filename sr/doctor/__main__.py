"""Command line: `python -m sr.doctor [--root ../shared/data] [--skip-slow]`."""

import argparse
import os
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
    Row,
    bicubic_rows,
    check_manifest,
    check_rows,
    check_set,
    present,
)
from sr.doctor.environment import check_environment
from sr.doctor.finding import Finding, examine
from sr.doctor.traps import check_bsds, check_copies, check_lookalikes, check_urban, images_of_sets, training_images
from sr.runs.failures import one_line_errors
from sr.runs.folders import ROOT

PIPE_WIDTH = 160
STYLES = {"ok": "green", "note": "cyan", "warning": "yellow", "broken": "bold red"}


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = argparse.ArgumentParser(
        prog="python -m sr.doctor",
        description="Check the environment, the test sets and the known traps; recompute the published bicubic rows. "
        "The exit status is 1 if something is broken.",
    )
    default = Path(os.environ.get("SR_DATA", ROOT.parent / "shared" / "data"))
    made.add_argument(
        "--root", type=Path, default=default, help="folder of image sets; default: SR_DATA, or %(default)s"
    )
    made.add_argument(
        "--skip-slow", action="store_true", help="only Set5 and Set14, and no search for similar pictures"
    )
    return made


def check_data(root: Path, rows: list[Row], *, skip_slow: bool) -> Iterator[Finding]:
    """Yield what there is to say about the image sets below a folder; appends the bicubic rows to `rows`."""
    if not root.is_dir():
        yield Finding("image sets", "note", f"no folder {root}; give one with --root or SR_DATA")
        return
    yield from examine("manifest", partial(check_manifest, root))
    for name in SETS:
        yield from examine(name, partial(check_set, name, root))
        if present(name, root) and not (skip_slow and name not in QUICK_SETS):
            yield from examine(f"bicubic on {name}", partial(_bicubic, name, root, rows))
    yield from check_traps(root, skip_slow=skip_slow)


def check_traps(root: Path, *, skip_slow: bool) -> Iterator[Finding]:
    """Yield whether training images and test sets below a folder keep apart."""
    try:
        training = training_images(root)
    except ValueError as error:
        yield Finding("traps", "note", f"nothing to keep apart: {error}")
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


def _bicubic(name: str, root: Path, rows: list[Row]) -> Iterator[Finding]:
    ours = list(bicubic_rows(name, root))
    rows += ours
    return check_rows(ours)


def show_findings(title: str, findings: Sequence[Finding], console: Console) -> None:
    """Print findings as a table."""
    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("check", "state", "finding"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "state")
    for what, state, detail in findings:
        table.add_row(Text(what), Text(state, style=STYLES[state]), Text(detail))
    console.print(table)


def show_rows(rows: Sequence[Row], console: Console) -> None:
    """Print bicubic rows: published, ours, difference."""
    title = Text(f"bicubic, PSNR in dB, tolerance {TOLERANCE_DB}", style="bold")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("set", "scale", "protocol", "published", "ours", "difference"):
        table.add_column(heading, justify="left" if heading in ("set", "protocol") else "right")
    for row in rows:
        difference = Text(f"{row.ours_db - row.published_db:+.3f}", style="green" if row.reproduced else "bold red")
        values = (f"x{row.scale}", row.protocol, f"{row.published_db:.3f}", f"{row.ours_db:.3f}")
        table.add_row(row.test_set, *values, difference)
    console.print(table)


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Print everything; returns the exit status."""
    options = parser().parse_args(arguments)
    console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
    environment = list(check_environment(ROOT / "constraints.txt"))
    show_findings("environment", environment, console)
    rows: list[Row] = []
    data = list(check_data(options.root, rows, skip_slow=options.skip_slow))
    show_findings(f"image sets in {options.root}", data, console)
    if rows:
        show_rows(rows, console)
    states = [finding.state for finding in (*environment, *data)]
    console.print(", ".join(f"{states.count(state)} {state}" for state in STYLES if state in states))
    return exit_status([*environment, *data])


def exit_status(findings: Sequence[Finding]) -> int:
    """1 if something is broken, else 0."""
    return int(any(finding.state == "broken" for finding in findings))


if __name__ == "__main__":
    sys.exit(main())
