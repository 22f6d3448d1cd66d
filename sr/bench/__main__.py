"""Command line: `python -m sr.bench train|data|infer|batches|collapse [options] [overrides as for sr.run]`."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from sr.report.render import FORMATS, show
from sr.runs.failures import one_line_errors
from sr.runs.files import write_json

PIPE_WIDTH = 200


def parser() -> argparse.ArgumentParser:
    """Describe the command line; an option's name is the argument of the command's `measure`."""
    made = argparse.ArgumentParser(
        prog="python -m sr.bench",
        description="Measure ratios side by side in one process: what is compared takes turns, since machines are not "
        "quiet. Settings are given as for sr.run: model=quicksrnet_medium scale=3 data=mix machine.threads=2",
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="train|data|infer|batches|collapse")
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("overrides", nargs="*", metavar="key=value", help="settings, as for sr.run")
    every.add_argument("--json", type=Path, metavar="PATH", help="write the figures there, with machine and versions")
    every.add_argument("--format", choices=FORMATS, default="text", help="of the tables; default: text")
    for name, (says, add) in COMMANDS.items():
        add(commands.add_parser(name, parents=[every], help=says, description=says))
    return made


def _train(to: argparse.ArgumentParser) -> None:
    _number(to, "--blocks", 6, "counted blocks of each loop", dest="num_blocks")
    _number(to, "--iterations", None, "of a block; default: as many as last about --seconds")
    to.add_argument("--seconds", type=float, default=3.0, metavar="S", help="a block lasts, about; default: 3")
    to.add_argument("--basicsr-workers", type=int, default=0, metavar="N", help="of BasicSR's loader; default: 0")


def _data(to: argparse.ArgumentParser) -> None:
    _number(to, "--batches", 300, "timed", dest="num_batches")
    to.add_argument("--keep-cache", action="store_true", help="use the decoded images that are there, time no decoding")


def _infer(to: argparse.ArgumentParser) -> None:
    to.add_argument("--run", type=Path, metavar="FOLDER", help="take net and ONNX files of this run")
    to.add_argument("--onnx", type=Path, action="append", default=[], metavar="PATH", help="an ONNX file; repeatable")
    _number(to, "--rounds", 30, "timed passes of each", dest="num_rounds")


def _batches(to: argparse.ArgumentParser) -> None:
    to.add_argument("--models", default="srresnet,rrdbnet,mesrnet", metavar="A,B", help="default: MESRGAN's table 1")
    to.add_argument("--batch-sizes", default="1,2,4,8,16", metavar="N,M", help="default: 1,2,4,8,16")
    _number(to, "--lr-side", 32, "LR pixels per side; the source does not state its own")
    _number(to, "--runs", 100, "timed passes of each, of which the mean is taken; the source's", dest="num_runs")
    says = "wall, or cpu: processor time, which other programs do not lengthen (no GPU then); default: wall"
    to.add_argument("--clock", choices=("wall", "cpu"), default="wall", help=says)


def _collapse(to: argparse.ArgumentParser) -> None:
    _number(to, "--batch-size", 32, "images of a batch; the source's")
    _number(to, "--lr-patch", 64, "LR pixels per side; the source's")
    _number(to, "--steps", 10, "timed steps of each form", dest="num_steps")


MODULES = {"data": "data_stream", "collapse": "collapse_step"}
"""Where a command's module has a longer name than the command."""
COMMANDS = {
    "train": ("sr.run beside the bare PyTorch loop and, where it is installed, BasicSR", _train),
    "data": ("the training stream alone, kornia's augmentation beside it, decoding and memory", _data),
    "infer": ("one image in PyTorch and in ONNX Runtime, at the output resolution of `size`", _infer),
    "batches": ("generators by batch size, with multiplications and bytes beside the time", _batches),
    "collapse": ("training steps of SESR-M5 (or model=...) in both forward forms", _collapse),
}


def _number(to: argparse.ArgumentParser, name: str, default: int | None, says: str, **more: Any) -> None:
    text = says if default is None else f"{says}; default: {default}"
    to.add_argument(name, type=_count, default=default, metavar="N", help=text, **more)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on is needed, got {text!r}")
    return int(text)


def options_of(arguments: Sequence[str] | None) -> dict[str, Any]:
    """Read the command line; overrides may stand anywhere after the command."""
    made = parser()
    known, others = made.parse_known_args(arguments)
    if wrong := [text for text in others if text.startswith("-")]:
        made.error(f"unknown: {' '.join(wrong)}; see python -m sr.bench {known.command} --help")
    options = vars(known)
    options["overrides"] += others
    return options


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    options = options_of(arguments)
    command, path, form = (options.pop(key) for key in ("command", "json", "format"))
    if path:
        _check_writable(path)
    measurement = importlib.import_module(f"sr.bench.{MODULES.get(command, command)}").measure(**options)
    if path:
        write_json(path, {"command": command, "overrides": options["overrides"], **measurement.to_dict()})
    show(measurement.tables, form, Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH))
    return 0


def _check_writable(path: Path) -> None:
    """Find out before the measurement that its result could not be kept."""
    if path.is_dir():
        raise ValueError(f"--json needs a file, got the folder {path}")
    path.parent.mkdir(parents=True, exist_ok=True)


if __name__ == "__main__":
    sys.exit(main())
