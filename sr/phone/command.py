"""Command line of `python -m sr.phone run <run> --runtime qnn`."""

from collections.abc import Sequence

from rich.console import Console

from sr.runs.arguments import CommandParser, path, whole_number
from sr.runs.failures import one_line_errors


def parser() -> CommandParser:
    """Return the argument parser."""
    made = CommandParser(prog="python -m sr.phone", description="Run an export on a phone that adb reaches.")
    actions = made.add_subparsers(dest="action", required=True, metavar="run")
    text = "push, run, time and compare with the certificate; adds a row to the certificate and to the report"
    run = actions.add_parser("run", help=text, description=text)
    run.add_argument("place", type=path, metavar="run", help="folder of a run, or of an export")
    run.add_argument("--device", metavar="SERIAL", help="as `adb devices` lists it; default: the only phone")
    run.add_argument("--runtime", choices=("qnn", "ort", "litert", "ncnn"), default="qnn", help="default: qnn")
    run.add_argument("--sdk", type=path, metavar="FOLDER", help="QAIRT SDK; default: QAIRT_SDK_ROOT or QNN_SDK_ROOT")
    text = "built for Android; for ort: onnxruntime_perf_test; for litert: benchmark_model; for ncnn: ncnn_runner"
    run.add_argument("--tool", type=path, metavar="FILE", help=text)
    text = "cpu, gpu, or for litert a library such as libQnnTFLiteDelegate.so; default: cpu"
    run.add_argument("--delegate", default="cpu", metavar="NAME", help=text)
    run.add_argument("--chip", metavar="NAME", help="part number, such as SM8650; default: the phone tells it")
    run.add_argument("--passes", type=whole_number(1, 100_000), default=100, metavar="N", help="default: 100")
    run.add_argument("--adb", metavar="FILE", help="the adb program; default: the one on PATH")
    return made


@one_line_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return the exit status."""
    options = vars(parser().parse_args(arguments))
    options.pop("action")
    from sr.phone.phone_run import Asked, run_on_phone

    for line in run_on_phone(Asked(**options)):
        Console().print(line, highlight=False, markup=False, soft_wrap=True)
    return 0
