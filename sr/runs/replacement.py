"""Replace a folder by another, so that a kill at any moment leaves the old one or the new one whole."""

import shutil
from pathlib import Path

OLD = ".old"
"""Ending of a folder that is being replaced; its name begins with a dot meanwhile."""


def replace_folder(new: Path, place: Path) -> None:
    """Move a folder to a place, and remove the folder that lay there.

    No system replaces a folder in one step. Between the two steps the old one lies beside the place under a hidden
    name, where `whole_folders` finds it.

    Args:
        new: Complete; on the same disk as the place.
        place: Where it goes; a folder or nothing.
    """
    old = place.with_name(f".{place.name}{OLD}")
    if place.exists():
        if old.exists():  # a kill came after the last replacement, before this was removed
            shutil.rmtree(old)
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def whole_folders(above: Path) -> list[Path]:
    """Return all folders that `replace_folder` puts below another, each whole, wherever a kill left it."""
    folders = [path for path in above.glob("*") if path.is_dir()]
    found = [path for path in folders if not path.name.startswith(".")]
    names = {path.name for path in found}
    moved = [path for path in folders if path.name.startswith(".") and path.name.endswith(OLD)]
    return found + [path for path in moved if path.name[1:].removesuffix(OLD) not in names]
