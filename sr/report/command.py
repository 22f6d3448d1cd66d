"""Command line: `python -m sr.report [outputs/<experiment> ...] [--published] [--watch] [--format ...]`."""

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from sr.report.comparison import comparison_tables
from sr.report.latency_table import latency_table
from sr.report.plane import plane
from sr.report.published import published
from sr.report.rates import rates_table, refuse_diverged
from sr.report.render import TABLE_FORMATS, print_tables
from sr.report.runs import Run, find_runs
from sr.report.sparsity import sparsity_picture, sparsity_tables
from sr.report.table import Table, quality_tables, speed_table, status_table
from sr.runs.arguments import CommandParser, finite_number, path
from sr.runs.failures import one_line_errors
from sr.runs.files import write_atomically
from sr.runs.folders import outputs_root

PIPE_WIDTH = 240


class _Console(Console):
    """A console that lets a closed pipe be handled in `main`, in every format alike."""

    def on_broken_pipe(self) -> None:
        """Raise instead of leaving with an error status."""
        raise BrokenPipeError


def parser() -> CommandParser:
    """Describe the command line."""
    made = CommandParser(
        prog="python -m sr.report",
        description="Print the runs of experiments as tables, one for each protocol, test set and scale.",
    )
    made.add_argument("places", nargs="*", type=path, metavar="outputs/<experiment>", help="default: all of outputs/")
    made.add_argument("--published", action="store_true", help="set the runs beside the published numbers")
    made.add_argument("--fold-seeds", action="store_true", help="one row for runs that differ only in seed")
    made.add_argument("--rates", action="store_true", help="the best learning rate of each net alone (sweeps=tune)")
    made.add_argument("--plane", type=path, metavar="SVG", help="draw PSNR against NIQE of the runs that have it")
    made.add_argument("--sparsity", type=path, metavar="PNG", help="draw pruned runs, and print their rounds alone")
    made.add_argument("--panel", type=path, metavar="PNG", help="draw a crop of a test image by every run, also as SVG")
    made.add_argument("--image", metavar="SET/NAME", help="with --panel; default: the first that all runs kept")
    made.add_argument(
        "--crop", type=place_and_size, metavar="X,Y,W,H", help="with --panel, in HR pixels; default: the most different"
    )
    made.add_argument("--columns", metavar="A,B", help="with --panel; default: lr,bicubic,float,quantized,hr")
    made.add_argument(
        "--watch", type=finite_number(above=0), nargs="?", const=5.0, metavar="S",
        help="show which jobs wait, run or failed, and the results, again and again; default: every 5 s",
    )  # fmt: skip
    made.add_argument("--format", choices=TABLE_FORMATS, default="text", help="default: text")
    return made


def tables_of(runs: Sequence[Run], *, compare: bool, fold_seeds: bool) -> list[Table]:
    """Make all tables of some runs; those without rows are kept out when they are shown."""
    if compare:
        compared = comparison_tables(runs, published(), fold_seeds=fold_seeds)
        return [*compared, latency_table(runs, published()), status_table(runs)]
    return [
        *quality_tables(runs, fold_seeds=fold_seeds),
        speed_table(runs, fold_seeds=fold_seeds),
        status_table(runs),
    ]


def place_and_size(text: str) -> tuple[int, ...]:
    """Return x, y, width and height of a crop, the type of `--crop`.

    >>> place_and_size("10,20,64,64")
    (10, 20, 64, 64)
    """
    if not re.fullmatch(r"[0-9]{1,6}(,[0-9]{1,6}){3}", text):
        raise argparse.ArgumentTypeError(f"four whole numbers X,Y,WIDTH,HEIGHT are needed, got {text!r}")
    return tuple(map(int, text.split(",")))


def write_panel(runs: Sequence[Run], options: argparse.Namespace) -> None:
    """Write the panel of some runs as PNG and as SVG, and name the files."""
    from sr.report.panel import PANEL_COLUMNS, panel
    from sr.report.panel_drawing import panel_png, panel_svg

    if options.panel.suffix not in (".png", ".svg"):
        raise ValueError(f"--panel is written as .png and .svg, got {options.panel}; name it {options.panel.name}.png")
    columns = options.columns.split(",") if options.columns else PANEL_COLUMNS
    svg = panel_svg(panel(runs, image=options.image, crop=options.crop, columns=columns))
    written: dict[str, str | bytes] = {".png": panel_png(svg), ".svg": svg}
    for ending, content in written.items():
        write_atomically(options.panel.with_suffix(ending), content)
        print(options.panel.with_suffix(ending), file=sys.stderr)


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; returns the exit status."""
    options = parser().parse_args(arguments)
    if not options.panel and (options.image or options.crop or options.columns):
        raise ValueError("--image, --crop and --columns belong to --panel PNG; add it")
    console = _Console() if sys.stdout.isatty() else _Console(width=PIPE_WIDTH)
    places = options.places or [outputs_root()]
    if options.watch:
        return follow(places, options.watch, console)
    runs = find_runs(places)
    if options.plane:
        write_atomically(options.plane, plane(runs))
    if options.panel:
        write_panel(runs, options)
    if options.rates:
        found = rates_table(runs)
        print_tables([found], options.format, console)
        refuse_diverged(found)
        return 0
    if options.sparsity:
        write_atomically(options.sparsity, sparsity_picture(runs))
        tables = sparsity_tables(runs)
    else:
        tables = tables_of(runs, compare=options.published, fold_seeds=options.fold_seeds)
    print_tables(tables, options.format, console)
    if not runs:
        print(f"No runs under {', '.join(map(str, places))}; `python -m sr.run` makes one.", file=sys.stderr)
    return 0


def follow(places: Sequence[Path], every_s: float, console: Console) -> int:
    """Print the states of runs and their scores whenever they change, until Ctrl-C; returns the exit status.

    Args:
        places: run folders, experiments, or folders of experiments.
        every_s: seconds between two looks.
        console: where to print; a terminal is cleared first.
    """
    shown: list[tuple[str, ...]] = []
    with suppress(KeyboardInterrupt):
        while True:
            runs = find_runs(places)
            states = [(str(run.folder), run.status, run.error) for run in runs]
            if states != shown or not shown:
                shown = [*states]
                counts = Counter(run.status for run in runs)
                console.clear()
                counted = ", ".join(f"{count} {status}" for status, count in counts.items()) or "no runs yet"
                console.print(f"{time.strftime('%H:%M:%S')}  {counted}  (Ctrl-C ends this view, not the jobs)")
                print_tables([*quality_tables(runs), status_table(runs)], "text", console)
            time.sleep(every_s)
    return 0
