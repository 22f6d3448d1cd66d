"""Command line: `python -m sr.bench train|data|infer|collapse [options] [overrides as for sr.run]`."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PIPE_WIDTH = 200
FORMATS = ("text", "markdown", "csv", "json")


def parser() -> argparse.ArgumentParser:
    """Describe the command line; an option's name is the argument of the command's `measure`."""
    made = argparse.ArgumentParser(
        prog="python -m sr.bench",
        description="Measure ratios side by side in one process: what is compared takes turns, since machines are not "
        "quiet. Settings are given as for sr.run: model=quicksrnet_medium scale=3 data=mix machine.threads=2",
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="train|data|infer|collapse")
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("overrides", nargs="*", metavar="key=value", help="settings, as for sr.run")
    every.add_argument("--json", type=Path, metavar="PATH", help="write the figures there, with machine and versions")
    every.add_argument("--format", choices=FORMATS, default="text", help="of the tables; default: text")

    def command(name: str, says: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, parents=[every], help=says, description=says)

    train = command("train", "sr.run beside the bare PyTorch loop and, where it is installed, BasicSR")
    train.add_argument("--blocks", dest="num_blocks", type=_count, default=6, help="counted blocks a loop; default: 6")
    train.add_argument("--iterations", type=_count, help="of a block; default: as many as last about --seconds")
    train.add_argument("--seconds", type=float, default=3.0, help="a block lasts, about; default: 3")
    train.add_argument("--basicsr-workers", type=int, default=0, help="processes of BasicSR's loader; default: 0")
    data = command("data", "the training stream alone, kornia's augmentation beside it, decoding and memory")
    data.add_argument("--batches", dest="num_batches", type=_count, default=300, help="timed; default: 300")
    data.add_argument("--keep-cache", action="store_true", help="use the decoded images that are there, time no decoding")
    infer = command("infer", "one image in PyTorch and in ONNX Runtime, at the output resolution of `size`")
    infer.add_argument("--run", type=Path, metavar="FOLDER", help="take net and ONNX files of this finished run")
    infer.add_argument("--onnx", type=Path, action="append", default=[], metavar="PATH", help="an ONNX file; repeatable")
    infer.add_argument("--rounds", dest="num_rounds", type=_count, default=30, help="timed passes of each; default: 30")
    collapse = command("collapse", "training steps of SESR-M5 (or model=...) in both forward forms")
    collapse.add_argument("--batch-size", type=_count, default=32, help="default: 32, the source's")
    collapse.add_argument("--lr-patch", type=_count, default=64, help="LR pixels per side; default: 64, the source's")
    collapse.add_argument("--steps", dest="num_steps", type=_count, default=10, help="timed of each; default: 10")
    return made


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    options = options_of(arguments)
    command, path, form = (options.pop(key) for key in ("command", "json", "format"))
    from hydra.errors import HydraException
    from rich.console import Console

    try:
        if path:
            _check_writable(path)
        measurement = importlib.import_module(f"sr.bench.{command}").measure(**options)
        from sr.report.render import show
        from sr.rundir.files import write_json

        if path:
            write_json(path, {"command": command, "overrides": options["overrides"], **measurement.to_dict()})
        show(measurement.tables, form, Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH))
    except (ValueError, OSError, HydraException) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


def _check_writable(path: Path) -> None:
    """Find out before the measurement that its result could not be kept."""
    if path.is_dir():
        raise ValueError(f"--json needs a file, got the folder {path}")
    path.parent.mkdir(parents=True, exist_ok=True)


if __name__ == "__main__":
    sys.exit(main())
