"""Command line: `python -m sr.data [--cache ~/.cache/sr] [--remove 30]`."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sr.data.cache_cleanup import Stored, in_words, remove, stored
from sr.runs.arguments import CommandParser, finite_number, path
from sr.runs.failures import one_line_errors
from sr.runs.folders import expand_home
from sr.runs.screen_text import printable


def parser() -> CommandParser:
    """Return the argument parser."""
    made = CommandParser(
        prog="python -m sr.data",
        description="List the decoded images and frames of videos in the cache, or remove old ones. What is in use is "
        "kept. What is removed is decoded again when a run needs it.",
    )
    default = Path(os.environ.get("SR_CACHE", "~/.cache/sr"))
    made.add_argument("--cache", type=path, default=default, help="cache folder; default: SR_CACHE, or ~/.cache/sr")
    made.add_argument(
        "--remove",
        type=finite_number(least=0),
        metavar="DAYS",
        help="remove images and frames not opened for this many days; 0: all that are not open",
    )
    return made


def cache_table(maps: Sequence[Stored]) -> Table:
    """Return a table with a row for each map, and for the frames of each video."""
    shown = Table("folder", "first image")
    for heading in ("images", "MB", "days unused", "open"):
        shown.add_column(heading, justify="right")
    for each in maps:
        numbers = (str(each.num_images), f"{each.size_mb:,.0f}", f"{each.unused_days:.1f}")
        shown.add_row(each.folder.name[:8], escape(printable(each.first)), *numbers, "yes" if each.is_open else "")
    return shown


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """List or remove maps and frames and return the exit status."""
    options = parser().parse_args(arguments)
    cache, console = expand_home("--cache", options.cache), Console()
    if not cache.is_dir():
        raise ValueError(f"no folder {cache}; give one with --cache or SR_CACHE")
    if options.remove is None:
        console.print(cache_table(stored(cache)))
    else:
        for each in remove(cache, options.remove):
            console.print(f"removed {each.folder.name[:8]}: {each.num_images} images, {each.size_mb:,.0f} MB")
    console.print(f"{cache}: {in_words(stored(cache))}", soft_wrap=True)
    return 0
