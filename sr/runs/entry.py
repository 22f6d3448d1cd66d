"""Entry of every command: signals and the encoding of the streams are handled before anything heavy is imported."""

import importlib
import logging
import sys

from sr.runs.failures import make_printable
from sr.runs.signals import ending_at_once, stop_with_launcher


def run_command(module: str, function: str = "main") -> int:
    """Import the module of a command and call its function with the arguments of the process.

    Until the function handles them itself, Ctrl-C and SIGTERM end the process with one line and status 130 or 143.

    Args:
        module: Name of the module, a constant in the code.
        function: Name of the function in it, from a list of arguments to an exit status.

    Returns:
        The exit status.
    """
    make_printable()
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of its font cache and of a missing home folder
    with ending_at_once():
        stop_with_launcher()
        command = getattr(importlib.import_module(module), function)
        return int(command(sys.argv[1:]))
