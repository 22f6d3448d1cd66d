"""Files that a kill at any moment leaves whole, and whether a result is newer than what it was made from."""

import contextlib
import hashlib
import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_atomically(path: Path, content: str | bytes | Callable[[Path], object]) -> None:
    """Write a file so that a reader, or a kill at any moment, sees the old file or the new one, never a half.

    Args:
        path: the file; missing folders above it are made.
        content: text, bytes, or a function that writes the file at the (temporary) path given to it.

    Raises:
        OSError: the file cannot be written; the message names it.
    """
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(temporary)
        else:
            temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        reason = str(error).splitlines()[0]
        raise OSError(f"{path} could not be written ({reason}); free the disk, or make it writable") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write plain containers as indented JSON, atomically.

    Infinities, which JSON lacks, become "inf" and "-inf", which `float()` reads back: two equal images have an infinite
    PSNR.

    Raises:
        ValueError: a value is not a number; the message names its key.
    """
    write_atomically(path, json.dumps(_without_infinities(content), indent=2, allow_nan=False) + "\n")


def _without_infinities(content: Any, key: str = "") -> Any:
    if isinstance(content, float) and not math.isfinite(content):
        if math.isnan(content):
            raise ValueError(f"{key.lstrip('.')} is not a number: the net or an image that it was scored on is damaged")
        return str(content)
    if isinstance(content, dict):
        return {name: _without_infinities(value, f"{key}.{name}") for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_infinities(value, f"{key}[{index}]") for index, value in enumerate(content)]
    return content


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed `write_atomically` left below a folder; nobody may be writing there."""
    for path in folder.rglob(".[0-9]*.*"):
        if re.fullmatch(r"\.\d+\..+", path.name) and path.is_file():
            path.unlink()


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ValueError: the file is not JSON; the message names it.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); remove it and run the same command again") from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
