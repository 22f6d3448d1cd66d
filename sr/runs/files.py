"""Read and write files of a run: atomic writing, temporary files beside their target, JSON and YAML, hashes."""

import contextlib
import errno
import hashlib
import json
import math
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

MARK = ".sr-partial-"
"""How the name of every temporary file and folder of ours begins; `remove_leftovers` removes these and nothing else."""
MAX_YAML_VALUES, MAX_YAML_DEPTH = 100_000, 100
"""Values that a YAML file may hold once its aliases are expanded, and their nesting; a config has about 400 and 6."""

_ADVICE = {
    errno.ENOSPC: "free some space on that disk",
    errno.EDQUOT: "free some space within your quota",
    errno.EACCES: "make it writable for you, or choose another place",
    errno.EPERM: "make it writable for you, or choose another place",
    errno.EROFS: "choose a place that is not read-only",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def write_atomically(path: Path, content: str | bytes | Callable[[Path], object]) -> None:
    """Write a file so that readers, also after a kill, see the old file or the new one, never a part.

    Args:
        path: The file; missing folders above it are made. A symbolic link is replaced, never followed.
        content: Text, bytes, or a function that writes the file at the temporary path that it is given. That path lies
            beside the target and ends in its name.

    Raises:
        OSError: The file cannot be written. The message names it and says what the system said.
    """
    temporary = _temporary(path.parent, f".{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(temporary)
        else:
            temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        with open(temporary, "r+b") as file:  # Windows flushes writable files only
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch reports a failed write as a RuntimeError
        raise OSError(_why_not_written(path, error)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _why_not_written(path: Path, error: BaseException) -> str:
    """Say what the system said; advise only where its error number tells what to do."""
    said: BaseException | None = error
    while said and not (isinstance(said, OSError) and said.errno):  # torch hides it behind an error of its own
        said = said.__cause__ or said.__context__
    if isinstance(said, OSError) and said.errno:
        advice = f"; {_ADVICE[said.errno]}" if said.errno in _ADVICE else ""
        return f"{path} could not be written: {said.strerror}{advice}"
    return f"{path} could not be written: {(str(error) or type(error).__name__).splitlines()[0]}"


@contextlib.contextmanager
def temporary_folder(place: Path) -> Iterator[Path]:
    """Make a folder for temporary files and remove it at the end; `remove_leftovers` removes it after a kill.

    Args:
        place: The folder to make it in, such as that of the file it serves; made if it is missing.
    """
    folder = _temporary(place)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _temporary(place: Path, ending: str = "") -> Path:
    """Return a new path with our mark, which nobody can have prepared a link at."""
    return place / f"{MARK}{secrets.token_hex(4)}{ending}"


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files and folders of ours that a kill left below a folder; nobody may be writing there.

    Symbolic links are neither followed nor removed.
    """
    for place, folders, files in os.walk(folder):
        for name in [each for each in folders if each.startswith(MARK)]:
            folders.remove(name)
            if not os.path.islink(os.path.join(place, name)):
                shutil.rmtree(os.path.join(place, name))
        for name in [each for each in files if each.startswith(MARK)]:
            if not os.path.islink(os.path.join(place, name)):
                os.unlink(os.path.join(place, name))


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


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ValueError: the file is not JSON; the message names it.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged ({error}); remove it and run the same command again") from error


def read_yaml(path: Path) -> Any:
    """Read plain values from a YAML file.

    Raises:
        ValueError: The file is not YAML, is nested too deeply, or its aliases expand to too many values.
    """
    text = path.read_text(encoding="utf-8")
    kind = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        depth = 0
        for event in yaml.parse(text, kind):  # deeper nesting crashes the interpreter when nodes are made
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_YAML_DEPTH:
                raise ValueError(f"it is nested more than {MAX_YAML_DEPTH} levels deep")
        node = yaml.compose(text, kind)
        if node and _num_values(node, {}) > MAX_YAML_VALUES:
            raise ValueError(f"its aliases expand to more than {MAX_YAML_VALUES} values")
        return yaml.load(text, kind)
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"{path} is not a YAML file to read: {' '.join(str(error).split())}") from error


def _num_values(node: yaml.Node, known: dict[int, float]) -> float:
    """Count the values of a node with all aliases expanded; infinite for one that holds itself."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = math.inf
    parts = node.value if isinstance(node, yaml.CollectionNode) else []
    parts = [part for pair in parts for part in (pair if isinstance(pair, tuple) else (pair,))]
    known[id(node)] = 1 + sum(_num_values(part, known) for part in parts)
    return known[id(node)]


def stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what differs once a file was written again: time in ns, size in bytes, inode; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
