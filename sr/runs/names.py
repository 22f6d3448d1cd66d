"""Names that become files and folders: what a user types is checked, what a file says is rewritten or kept inside."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any

MAX_BYTES = 120
"""Of a name in UTF-8. File systems take 255; endings and `MAX_NAME` of a run have to fit beside it."""
_SEPARATING = frozenset('/\\:*?"<>|')
"""What no file name has on one of the systems."""


def check_name(key: str, name: Any) -> str:
    """Return a name that is one file or folder name on every system.

    Args:
        key: Where the name comes from, for the message: `experiment`, `--name`.
        name: Text, or a number that YAML made of it.

    Raises:
        ValueError: Empty, hidden (`.`, `..`, `.git`), a path, too long, or with characters that cannot be printed.

    >>> check_name("experiment", "main")
    'main'
    """
    text = str(name) if isinstance(name, int | float) and not isinstance(name, bool) else name
    fits = isinstance(text, str) and 0 < len(text.encode(errors="replace")) <= MAX_BYTES and text.isprintable()
    if not fits or _SEPARATING & {*text} or text.startswith((".", "-", " ")) or text.endswith((".", " ")):
        shown = repr(name) if len(repr(name)) <= MAX_BYTES else f"{repr(name)[:40]}... ({len(repr(name))} characters)"
        raise ValueError(
            f"{key} is a name of one folder, got {shown}; use up to {MAX_BYTES} letters, digits, `_`, `-` and `.`, "
            "and begin with a letter or a digit"
        )
    return text


def file_name(text: str) -> str:
    """Make a file name of any text, such as a title that a report holds.

    >>> file_name("Set5 x2 (y)"), file_name("../../etc/passwd")
    ('Set5-x2-y', 'etc-passwd')
    """
    words = re.sub(r"[^\w.-]+", " ", text).split()
    name = "-".join(word for word in words if word.strip(".-")).strip(".-")
    if 0 < len(name.encode(errors="replace")) <= MAX_BYTES:
        return name
    exact = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]
    return f"{name[: MAX_BYTES // 4 - 9]}-{exact}".lstrip("-")


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file that another file names, if it is below a folder, links followed.

    Raises:
        ValueError: It is not below, or no path at all.
    """
    if not isinstance(name, str) or "\0" in name:
        raise ValueError(f"{name!r} is no file of {folder}")
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{name!r} is not inside of {folder}")
    return path


def refuse_links_out(folder: Path) -> None:
    """Refuse a run folder with a symbolic link that leads out of it: writing into the run would write elsewhere.

    W&B links from the folders of its own earlier runs to its cache, and never writes there again: they are passed over.

    Raises:
        ValueError: The first such link.
    """
    for place, folders, files in os.walk(folder):
        for path in (Path(place, name) for name in (*folders, *files)):
            if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
                raise ValueError(
                    f"{path} is a symbolic link that leads out of the run folder, where nothing is written; put what "
                    "it names in its place, or remove the link"
                )
        if Path(place) == folder / "wandb":
            folders.clear()
