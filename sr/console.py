"""Command line of `sr`: `sr run`, `sr report` and so on are `python -m sr.run`, `python -m sr.report` and so on."""

import runpy
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from sr import __version__

COMMANDS = {
    "run": "train, quantize, export and certify a net; a config of conf/ says how",
    "report": "tables of finished runs",
    "results": "the page of published values beside kept results",
    "dashboard": "one HTML page of finished runs",
    "doctor": "check packages, the HTP compiler and image sets",
    "bench": "measure speed on this machine",
    "upscale": "upscale a picture, a folder of pictures, or a video",
    "export": "quantize any net, and write its files for Hexagon, ONNX, LiteRT or ncnn with a certificate",
    "phone": "run an export on a phone over adb, and compare every pixel",
    "pretrained": "the trained nets of the package",
    "data": "the cache of decoded images",
}
"""Command -> what it does; each is a package or module of `sr`."""

BASH = """_sr() {
  local word="${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W "COMMANDS" -- "$word"))
  elif [ "${COMP_WORDS[1]}" = run ]; then
    COMPREPLY=($(compgen -o default -W "$(COMP_LINE="sr${COMP_LINE#*run}" sr run -sc query=bash)" -- "$word"))
  fi
}
COMP_WORDBREAKS=${COMP_WORDBREAKS//=}
complete -o nospace -o default -F _sr sr
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status.

    Args:
        arguments: Of the command line; None takes those of this process.
    """
    name, *rest = sys.argv[1:] if arguments is None else arguments or [""]
    if name in COMMANDS:
        sys.argv = [f"sr {name}", *rest]
        sys.path.insert(0, str(Path.cwd()))  # as `python -m` does, so that a class of the user is found
        runpy.run_module(f"sr.{name}", run_name="__main__", alter_sys=True)
        return 0
    if name in ("", "-h", "--help", "help"):
        print(usage())
    elif name == "--version":
        print(f"sr {__version__}")
    elif (name, *rest) == ("--completion", "bash"):
        print(BASH.replace("COMMANDS", " ".join(COMMANDS)))
    else:
        print(unknown(name), file=sys.stderr)
        return 1
    return 0


def usage() -> str:
    """Return the text of `sr --help`."""
    width = max(map(len, COMMANDS))
    lines = [f"  sr {name:{width}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join(
        [
            "Real-time super-resolution on mobile NPUs. Options of a command: sr <command> --help",
            "",
            *lines,
            "",
            "Each is also `python -m sr.<command>`. Completion in bash: source <(sr --completion bash)",
        ]
    )


def unknown(name: str) -> str:
    """Return the message for a command that does not exist.

    >>> unknown("dashbord")
    "sr has no command 'dashbord'; did you mean dashboard? `sr --help` lists all"
    """
    close = get_close_matches(name, COMMANDS, n=1)
    return f"sr has no command {name!r};{f' did you mean {close[0]}?' if close else ''} `sr --help` lists all"


if __name__ == "__main__":
    sys.exit(main())
