"""Errors of every kind as one line for the user: our own ones, and those of other libraries and the system."""

import functools
import io
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sr.runs.screen_text import printable
from sr.runs.signals import raising_stops, stopped_by

OUR_FOLDER = Path(__file__).resolve().parent.parent
LONGEST = 600
"""Characters of another library's message that are shown."""
WRAPPERS = ("InstantiationException", "InterpolationResolutionError")
"""Errors of Hydra and OmegaConf that only wrap the one that says what is wrong."""
SETTING_LIBRARIES = ("hydra.", "omegaconf.")
"""Libraries that refuse settings: their first line and the key say all, and the place in our code says nothing."""


def in_one_line(error: BaseException) -> str:
    """Describe an error in one line: our own in its words, another library's with its type and where it arose.

    >>> in_one_line(OSError(28, "No space left on device", "/data/a.png"))
    'No space left on device: /data/a.png'
    >>> in_one_line(KeyError())
    'KeyError without a message'
    """
    error = _cause(error)
    if is_refusal(error):
        return str(error)
    if type(error).__module__.startswith(SETTING_LIBRARIES) and str(error):
        return _of_settings(error)
    text, place = _words(error), _place(error)
    if isinstance(error, OSError) and error.filename is not None:
        return text
    what = f"{type(error).__name__}: {text}" if text else f"{type(error).__name__} without a message"
    return f"{what} ({place})" if place else what


def shows_tracebacks() -> bool:
    """Whether the user asks for tracebacks: HYDRA_FULL_ERROR=1, and no other value, as Hydra reads it."""
    return os.environ.get("HYDRA_FULL_ERROR") == "1"


def print_error(error: BaseException, *, full: bool, kept: Path | None = None, hint: str = "") -> None:
    """Print an error on stderr.

    Args:
        error: any exception.
        full: whether to print the traceback, too.
        kept: file that holds the traceback, named if it exists.
        hint: sentences that say what may have been meant.
    """
    if full:
        traceback.print_exception(error)
    where = f" (traceback: {kept})" if kept and kept.is_file() else ""
    print(printable(f"Error: {in_one_line(error)}{f'. {hint}' if hint else ''}{where}"), file=sys.stderr)


def make_printable() -> None:
    """Let stdout and stderr write what their encoding lacks as escapes: no name that is printed fails finished work."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def one_line_errors(main: Callable[..., int]) -> Callable[..., int]:
    """Decorate the `main` of a command: errors become one line and status 1, Ctrl-C and SIGTERM 130 and 143.

    A closed pipe (`... | head`) is no error.
    """

    @functools.wraps(main)
    def answered(*arguments: Any, **options: Any) -> int:
        make_printable()
        try:
            with raising_stops():
                return main(*arguments, **options)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            return _status(error)

    return answered


def _status(error: BaseException) -> int:
    """Print what ended a command, and return its exit status."""
    if number := stopped_by(error):
        print("\nStopped.", file=sys.stderr)
        return 128 + number
    if isinstance(error, SystemExit):  # of --help
        raise error
    print_error(error, full=shows_tracebacks())
    return 1


def _cause(error: BaseException) -> BaseException:
    """Return the error that the wrappers of Hydra and OmegaConf hold, if it is one that says more."""
    while type(error).__name__ in WRAPPERS and (inner := error.__cause__ or error.__context__):
        if inner is error:
            break
        error = inner
    return error


def _of_settings(error: BaseException) -> str:
    """Return the first line of an error of Hydra or OmegaConf, and of the one that it came from, with the key."""
    errors = [error] + ([error.__cause__] if error.__cause__ and str(error.__cause__) else [])
    lines = [line.strip() for each in errors for line in str(each).strip().splitlines()]
    key = next((line.removeprefix("full_key:").strip() for line in lines if line.startswith("full_key:")), "")
    text = ": ".join(str(each).strip().splitlines()[0].rstrip(".") for each in errors)
    return f"{text} ({key})" if key and key not in text else text


def _words(error: BaseException) -> str:
    """Return the message in one line, without the number of a system error."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        names = " -> ".join(str(name) for name in (error.filename, error.filename2) if name is not None)
        return f"{error.strerror}: {names}"
    text = " ".join((error.strerror if isinstance(error, OSError) and error.strerror else str(error)).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def is_refusal(error: BaseException) -> bool:
    """Tell whether our code raised the error with a message for users."""
    if not isinstance(error, ValueError | OSError) or not str(error) or isinstance(error, UnicodeError):
        return False
    if isinstance(error, OSError) and error.filename is not None:
        return False
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).is_relative_to(OUR_FOLDER)


def _place(error: BaseException) -> str:
    """Return file and line in our package from which the error came; empty if it never passed there."""
    ours = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(OUR_FOLDER)
    ]
    if not ours:
        return ""
    return f"{Path(ours[-1].filename).relative_to(OUR_FOLDER.parent).as_posix()}:{ours[-1].lineno}"
