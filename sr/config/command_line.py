"""Overrides on the command line: which of them Hydra cannot read as they are meant, and how to write them."""

import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from difflib import get_close_matches

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from sr.config.hints import group_options, hints

MULTIRUN = ("-m", "--multirun")
HYDRAS_LAUNCHER = "hydra/launcher"


def options_first(arguments: Sequence[str]) -> list[str]:
    """Move `-m` in front of the overrides: argparse takes them only in one piece.

    >>> options_first(["scale=2", "-m", "seed=0,1"])
    ['-m', 'scale=2', 'seed=0,1']
    """
    return sorted(arguments, key=lambda text: text not in MULTIRUN)


def refuse_unreadable(arguments: Sequence[str]) -> None:
    """Raise ValueError for the first override that Hydra cannot read, with the form that it can.

    Args:
        arguments: of the command line, after the program's name.

    Raises:
        ValueError: a value that needs quotes, one without its key, or several values without `-m`.
    """
    parser = OverridesParser.create()
    sweeps = any(text in MULTIRUN or text.startswith(("sweeps=", "+sweeps=", "hydra.mode=")) for text in arguments)
    for before, text in zip(["", *arguments], arguments, strict=False):
        if text.startswith("-") or ("=" not in text and (text.startswith("~") or before.startswith("-"))):
            continue
        key, _, value = text.partition("=")
        if "=" not in text:
            raise ValueError(f"{text!r} has no value; a setting is written as {text}=<value>")
        try:
            override = parser.parse_override(text)
        except HydraException as error:
            raise ValueError(_advice(key, value, error)) from None
        if not isinstance(override.value(), str) and not override.is_sweep_override() and group_options(key):
            raise ValueError(f"{key} is one option of its group, got {value}. {' '.join(hints([text]))}")
        if override.is_sweep_override() and not sweeps:
            raise ValueError(
                f"{text} states several values: write -m in front for a run each, {quoted(f'{key}=[{value}]')} for a "
                f"list, or {as_text(key, value)} for one text"
            )


def refuse_other_launchers(arguments: Sequence[str]) -> None:
    """Refuse a launcher of Hydra, which would end a sweep with failed jobs in silence, and a launcher that is swept.

    Args:
        arguments: of the command line, after the program's name.

    Raises:
        ValueError: with the override that is meant.
    """
    for text in arguments:
        key, _, value = text.lstrip("+~").partition("=")
        if key.split("@")[0] == HYDRAS_LAUNCHER:
            known = group_options("launcher")
            meant = get_close_matches(value.rpartition("_")[2], known, n=1)
            listed = ", ".join(f"launcher={name}" for name in known)
            raise ValueError(f"{text}: write {f'launcher={meant[0]}' if meant else f'one of {listed}'} instead")
        if key.split(".")[0] == "launcher" and "," in value and value[:1] not in "[{\"'":
            raise ValueError(f"{text}: one launcher starts all jobs of a sweep; give {key} one value")


def as_text(key: str, value: str) -> str:
    """Return an override of a text with any characters, as it is typed in this system's shell.

    >>> print(as_text("data.root", "/my photos (1)"))
    'data.root="/my photos (1)"'
    """
    return quoted(text_override(key, value))


def text_override(key: str, value: str) -> str:
    r"""Return an override of a text with any characters, as Hydra reads it.

    >>> print(text_override("data.root", 'a "b"'))
    data.root="a \"b\""
    """
    escaped = re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + ('\\"' if found[2] else ""), value)
    return f'{key}="{escaped}"'


def quoted(argument: str) -> str:
    """Quote an argument for this system's shell."""
    return subprocess.list2cmdline([argument]) if sys.platform == "win32" else shlex.quote(argument)


def _advice(key: str, value: str, error: HydraException) -> str:
    """Say what cannot be read, and how to write it."""
    if not re.fullmatch(r"[+~]{0,2}[\w./@:\-]+", key):
        return f"{key!r} is no name of a setting (in {key}={value})"
    if value[:1] in ("[", "{"):
        return f"{key}={value} cannot be read ({str(error).splitlines()[0]}); close all brackets, and quote names in it"
    if value[:1] == "=":
        return f"{key}={value} cannot be read; write one = between a key and its value"
    return f"{key}={value} has characters that need quotes; write {as_text(key, value)}"
