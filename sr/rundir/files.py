"""Files that a kill at any moment leaves whole, and whether a result is newer than what it was made from."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_atomically(path: Path, content: str | bytes | Callable[[Path], object]) -> None:
    """Write a file so that a reader, or a kill at any moment, sees the old file or the new one, never a half.

    Args:
        path: the file; missing folders above it are made.
        content: text, bytes, or a function that writes the file at the (temporary) path given to it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        if callable(content):
            content(temporary)
        else:
            temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Write plain containers as indented JSON, atomically; not-a-number is refused."""
    write_atomically(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ValueError: the file is not JSON; the message names it.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); remove it and run the same command again") from error


def newest(*paths: Path) -> float:
    """The latest modification time among paths, in seconds; infinite when one is missing, so that nothing counts as done."""
    return max((path.stat().st_mtime_ns if path.exists() else float("inf")) for path in paths)


def is_newer(result: Path, *sources: Path) -> bool:
    """Whether a stage's result exists and was written after everything that it was made from."""
    return result.exists() and result.stat().st_mtime_ns >= newest(*sources)
