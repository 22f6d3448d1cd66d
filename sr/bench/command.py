"""Command line of `python -m sr.bench <command> [options] [overrides as for sr.run]`."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from sr.report.render import TABLE_FORMATS, print_tables
from sr.runs.arguments import CommandParser, finite_number, path, whole_number
from sr.runs.failures import one_line_errors
from sr.runs.files import write_json

_PIPE_WIDTH = 200


def parser() -> CommandParser:
    """Return the argument parser; the name of an option is an argument of the command's `measure_*` function."""
    made = CommandParser(
        prog="python -m sr.bench",
        description="Measure ratios: the alternatives run interleaved in one process, because other load varies. "
        "Settings are given as for sr.run: model=quicksrnet_medium scale=3 data=mix machine.threads=2",
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="|".join(_COMMANDS))
    every = CommandParser(add_help=False)
    every.add_argument("overrides", nargs="*", metavar="key=value", help="settings, as for sr.run")
    every.add_argument("--json", type=path, metavar="PATH", help="write figures, machine and versions to this file")
    every.add_argument("--format", choices=TABLE_FORMATS, default="text", help="format of the tables; default: text")
    for name, (summary, add) in _COMMANDS.items():
        add(commands.add_parser(name, parents=[every], help=summary, description=summary))
    return made


def _train(to: CommandParser) -> None:
    _number(to, "--blocks", 6, "measured blocks of each loop", dest="num_blocks")
    _number(to, "--iterations", None, "iterations of a block; default: as many as take about --seconds")
    _seconds(to, "--seconds", 3.0, "duration of a block")
    to.add_argument(
        "--basicsr-workers",
        type=whole_number(most=4096),
        default=0,
        metavar="N",
        help="BasicSR loader processes; default: 0",
    )


def _data(to: CommandParser) -> None:
    _number(to, "--batches", 300, "timed batches", dest="num_batches")
    to.add_argument("--keep-cache", action="store_true", help="use existing decoded images and time no decoding")


def _infer(to: CommandParser) -> None:
    to.add_argument("--run", type=path, metavar="FOLDER", help="time the net and the ONNX files of this run")
    to.add_argument("--onnx", type=path, action="append", default=[], metavar="PATH", help="an ONNX file; repeatable")
    _number(to, "--rounds", 30, "timed passes of each runtime", dest="num_rounds")


def _batches(to: CommandParser) -> None:
    to.add_argument(
        "--models", default="srresnet,rrdbnet,mesrnet", metavar="A,B", help="nets; default: those of MESRGAN's table 1"
    )
    to.add_argument("--batch-sizes", default="1,2,4,8,16", metavar="N,M", help="default: 1,2,4,8,16")
    _number(to, "--lr-side", 32, "LR pixels per side; MESRGAN does not state its size")
    _number(to, "--runs", 100, "timed passes of each net, averaged as in MESRGAN", dest="num_runs")
    text = "wall time, or cpu: processor time, which other programs do not increase (CPU only); default: wall"
    to.add_argument("--clock", choices=("wall", "cpu"), default="wall", help=text)


def _collapse(to: CommandParser) -> None:
    _number(to, "--batch-size", 32, "images of a batch, as in SESR")
    _number(to, "--lr-patch", 64, "LR pixels per side, as in SESR")
    _number(to, "--steps", 10, "timed steps of each form", dest="num_steps")


def _htp(to: CommandParser) -> None:
    """Add no option: overrides with several values make the grid."""


def _compiler(to: CommandParser) -> None:
    text = "two exports, each a run folder, an export folder or a certificate.json; nothing is compiled"
    to.add_argument("--certificates", type=path, nargs=2, metavar=("BEFORE", "AFTER"), help=text)
    for name in ("first", "second"):
        text = f"option of the QNN provider of the {name} set; repeatable"
        to.add_argument(f"--{name}", action="append", default=[], metavar="NAME=VALUE", help=text)


def _sweep(to: CommandParser) -> None:
    text = "launchers to compare, separated by commas; default: basic,joblib,ray"
    to.add_argument("--launcher", default="basic,joblib,ray", metavar="A,B", help=text)
    _number(to, "--jobs", 6, "jobs of the sweep, one seed each", dest="num_jobs")
    _number(to, "--iterations", 2000, "iterations of a job's training")


def _scale(to: CommandParser) -> None:
    to.add_argument("--devices", default="1,2", metavar="N,M", help="numbers of devices; default: 1,2")
    _number(to, "--iterations", 40, "iterations of a block")
    _number(to, "--blocks", 5, "measured blocks of each setting", dest="num_blocks")


def _degraded(to: CommandParser) -> None:
    _number(to, "--blocks", 6, "measured trainings of each kind, in turn", dest="num_blocks")
    _number(to, "--iterations", 200, "iterations of a block, a multiple of train.chunk")


def _gpu(to: CommandParser) -> None:
    text = "cuda; or cpu, which tries the command where there is no GPU; default: cuda"
    to.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help=text)
    _seconds(to, "--limit", 460.0, "seconds for everything; what does not fit is left out")
    _number(to, "--iterations", 2000, "iterations of the trainings that are compared")
    _seconds(to, "--seconds", 2.0, "duration of a block of a training loop")
    to.add_argument("--only", metavar="A,B", help="steps to do; default: all")


def _video(to: CommandParser) -> None:
    _upscaled_by(to)
    _number(to, "--frames", 150, "frames of each round", dest="num_frames")
    _number(to, "--rounds", 3, "videos that are upscaled one after the other", dest="num_rounds")
    to.add_argument("--frame-size", default="960x540", metavar="WxH", help="of the source; default: 960x540")
    to.add_argument("--preset", default="veryfast", metavar="NAME", help="of x264; default: veryfast")


def _pictures(to: CommandParser) -> None:
    _upscaled_by(to)
    _number(to, "--pictures", 1000, "pictures of the folder", dest="num_pictures")
    _number(to, "--blocks", 10, "parts of the folder, in each of which both ways take their turn", dest="num_blocks")
    to.add_argument("--picture-size", default="480x320", metavar="WxH", help="of the sources; default: 480x320")
    to.add_argument("--ending", choices=("png", "jpg"), default="jpg", help="of sources and results; default: jpg")


def _upscaled_by(to: CommandParser) -> None:
    to.add_argument("--net", default="quicksrnet_small", help="as for sr upscale; default: quicksrnet_small")
    to.add_argument("--precision", default="int8", choices=("fp32", "int8"), help="default: int8")
    to.add_argument("--runtime", default="auto", help="as for sr upscale; default: auto")


_MODULES = {
    "compiler": "compiler_estimates", "data": "data_stream", "collapse": "collapse_step", "htp": "htp_estimates",
    "sweep": "sweep_rate", "video": "video_speed",
    "pictures": "picture_speed",
}  # fmt: skip
"""Modules with another name than their command."""
_COMMANDS = {
    "train": ("compare sr.run with a plain PyTorch loop and, if installed, with BasicSR", _train),
    "data": ("time the training data stream, kornia's augmentation, decoding and memory", _data),
    "infer": ("time one image in PyTorch and in ONNX Runtime, at the output resolution of `size`", _infer),
    "batches": ("time generators by batch size, with their MACs and bytes moved", _batches),
    "collapse": ("compare training steps of SESR-M5 (or model=...) in both forward forms", _collapse),
    "sweep": ("count the jobs a minute of a tiny sweep by each launcher", _sweep),
    "video": ("compare the upscaling of a video with the bound that its processor time sets", _video),
    "pictures": ("compare the upscaling of a folder with a plain loop over the runtime", _pictures),
    "scale": ("train one net on several devices: steps a second, efficiency, and what the rest is spent on", _scale),
    "degraded": ("compare training on degraded images with clean ones: data/degradation=codec", _degraded),
    "gpu": ("everything to be measured on a GPU, with its tests, in 8 minutes: give --json FILE", _gpu),
    "compiler": ("compare the HTP compiler's estimates of two certificates or of two sets of options", _compiler),
    "htp": ("estimate a grid of untrained nets for the HTP: model=quicksrnet model.f=16,32 model.m=0..3", _htp),
}


def _seconds(to: CommandParser, name: str, default: float, meaning: str) -> None:
    text = f"{meaning}; default: {default:g}"
    to.add_argument(name, type=finite_number(above=0), default=default, metavar="S", help=text)


def _number(to: CommandParser, name: str, default: int | None, meaning: str, **more: Any) -> None:
    text = meaning if default is None else f"{meaning}; default: {default}"
    to.add_argument(name, type=whole_number(1), default=default, metavar="N", help=text, **more)


def options_of(arguments: Sequence[str] | None) -> dict[str, Any]:
    """Parse the command line; overrides may be anywhere after the command.

    Args:
        arguments: The arguments; None takes those of the process.

    Returns:
        Option name -> value, with all overrides under "overrides".
    """
    made = parser()
    known, others = made.parse_known_args(arguments)
    if wrong := [text for text in others if text.startswith("-")]:
        made.error(f"unknown options {' '.join(wrong)}; see python -m sr.bench {known.command} --help")
    options = vars(known)
    options["overrides"] += others
    return options


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run a benchmark, print its tables and return the exit status."""
    options = options_of(arguments)
    command, file, form = (options.pop(key) for key in ("command", "json", "format"))
    if file:
        _check_writable(file)
    module = importlib.import_module(f"sr.bench.{_MODULES.get(command, command)}")
    measurement = getattr(module, f"measure_{command}")(**options)
    if file:
        write_json(file, {"command": command, "overrides": options["overrides"], **measurement.to_dict()})
    print_tables(measurement.tables, form, Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH))
    return 0


def _check_writable(file: Path) -> None:
    """Raise ValueError before the measurement if the result could not be written."""
    if file.is_dir():
        raise ValueError(f"--json needs a file, got the folder {file}")
    file.parent.mkdir(parents=True, exist_ok=True)
