"""Command line: `python -m sr.results [outputs/<experiment> ...] [--kept FOLDER] [--page FILE]`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from sr.report.published import published
from sr.results.kept_files import read_kept, reduced, write_kept
from sr.results.pairing import refuse_other_protocols
from sr.results.results_page import results_page
from sr.runs.arguments import CommandParser, path
from sr.runs.failures import one_line_errors
from sr.runs.files import write_atomically
from sr.runs.folders import ROOT


def parser() -> CommandParser:
    """Describe the command line."""
    made = CommandParser(
        prog="python -m sr.results",
        description="Write the page of all published values beside the results that are kept under version control.",
    )
    made.add_argument(
        "runs", nargs="*", type=path, metavar="outputs/<experiment>",
        help="finished runs to keep first, folders of pretrained nets, or files of `sr bench htp --json`",
    )  # fmt: skip
    made.add_argument("--kept", type=path, default=ROOT / "docs/results", help="folder; default: docs/results")
    made.add_argument("--page", type=path, default=None, help="Markdown file; default: beside that folder")
    return made


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Keep results and write the page; returns the exit status. Nothing is written if a result is refused."""
    options = parser().parse_args(arguments)
    page: Path = options.page or options.kept.with_suffix(".md")
    values = published()
    new = reduced(options.runs)
    kept = read_kept(options.kept).joined(new)
    refuse_other_protocols(kept.reports, values)
    text = results_page(kept, values)
    for file in write_kept(new, options.kept):
        print(file, file=sys.stderr)
    write_atomically(page, text)
    print(page, file=sys.stderr)
    return 0
