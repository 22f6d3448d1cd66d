"""Command line: `python -m sr.dashboard [outputs/<experiment> ...] [--serve | --figures FOLDER | --wandb]`."""

import argparse
from collections.abc import Sequence
from typing import Any

from sr.dashboard.content import content
from sr.dashboard.page import render
from sr.dashboard.pictures import Budget, pictures
from sr.report.runs import Run, find_runs
from sr.runs.arguments import CommandParser, finite_number, path, whole_number
from sr.runs.failures import one_line_errors
from sr.runs.files import write_atomically
from sr.runs.folders import outputs_root

MIB = 2**20


def parser() -> CommandParser:
    """Describe the command line."""
    made = CommandParser(
        prog="python -m sr.dashboard",
        description="Show the runs of experiments: tables, plots and pictures in one HTML file.",
    )
    made.add_argument("places", nargs="*", type=path, metavar="outputs/<experiment>", help="default: all of outputs/")
    made.add_argument("--to", type=path, metavar="FILE", help="the page; default: dashboard.html in the first folder")
    made.add_argument(
        "--side", type=whole_number(), default=256, help="largest side of a picture in HR pixels, 0 for all of it"
    )
    made.add_argument(
        "--picture-mib", type=finite_number(least=0), default=60, help="what all pictures may take; 0 leaves them out"
    )
    made.add_argument("--serve", action="store_true", help="serve the page and follow the runs")
    made.add_argument("--host", default="127.0.0.1", help="with --serve; another address shows it to the network")
    made.add_argument("--port", type=whole_number(most=65535), default=8008, help="with --serve; 0 takes a free one")
    made.add_argument(
        "--refresh", type=finite_number(least=0), default=5, metavar="S", help="with --serve: seconds between looks"
    )
    made.add_argument("--figures", type=path, metavar="FOLDER", help="write plots and tables for papers instead")
    made.add_argument("--formats", default="svg,png", help="with --figures: of svg, png, pdf")
    made.add_argument("--wandb", action="store_true", help="build a workspace and a report on W&B instead")
    made.add_argument("--entity", help="with --wandb: the account or team")
    made.add_argument("--project", default="sr", help="with --wandb; default: sr, as conf/logger/wandb.yaml has it")
    return made


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked; returns the exit status."""
    options = parser().parse_args(arguments)
    options.places = options.places or [outputs_root()]
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    """One of the four things that the command does."""
    runs = find_runs(options.places)
    if options.wandb:
        from sr.dashboard.workspace import publish

        return publish(runs, entity=options.entity, project=options.project)
    if options.figures:
        from sr.dashboard.figures import write_figures

        files = list(write_figures(runs, options.figures, options.formats.split(",")))
        print(f"{options.figures}  ({len(files)} files: plots as {options.formats}, tables as csv, md and tex)")
        return 0
    return _serve(options) if options.serve else _write(options, runs)


def _made(options: argparse.Namespace, runs: Sequence[Run]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Content and pictures of a page."""
    budget = Budget(left=round(options.picture_mib * MIB))
    shown = pictures(runs, side=options.side, budget=budget) if budget.left > 0 else []
    filling = content(runs, options.places)
    if budget.omitted:
        filling["omitted"] = (
            f"{len(budget.omitted)} pictures were left out: more than {options.picture_mib:g} MiB "
            "(--picture-mib raises it, --side makes them smaller)"
        )
    return filling, shown


def _write(options: argparse.Namespace, runs: Sequence[Run]) -> int:
    """Write the page and say where."""
    page = options.to or options.places[0] / "dashboard.html"
    filling, shown = _made(options, runs)
    text = render(filling, shown)
    write_atomically(page, text)
    states = {status: sum(run.status == status for run in runs) for status in dict.fromkeys(run.status for run in runs)}
    print(
        f"{page}  ({len(text.encode()) / MIB:.1f} MiB; {', '.join(f'{n} {s}' for s, n in states.items()) or 'no runs'})"
    )
    return 0


def _serve(options: argparse.Namespace) -> int:
    """Serve the page until it is interrupted."""
    from sr.dashboard.serve import Live, server

    def make() -> tuple[dict[str, Any], list[dict[str, Any]]]:
        filling, shown = _made(options, find_runs(options.places))
        return filling | {"refresh_s": options.refresh}, shown

    with server(Live(options.places, make), options.host, options.port) as serving:
        print(f"http://{options.host}:{serving.server_address[1]}/  (Ctrl-C ends it)", flush=True)
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0
