"""List and remove decoded images and frames of videos in the cache, except those that a process has open.

Nothing is removed automatically. A removed map is created again by the next run that needs it.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from sr.data.pixel_map import IMAGE_INDEX, PIXELS, only_user

FRAMES_FOLDER = "frames"
"""Folder of the cache that holds the frames taken from videos, a folder for each video."""
DAY_S = 24 * 60 * 60
IN_USE_DAYS = 1 / 24
"""Frames that a run asked for so short a time ago count as open: it may still read them."""
UNUSED_DAYS = 30
"""Maps that were not opened for this many days are counted as removable."""
UNFINISHED = "unfinished"
"""Ending of a map that is being written, or whose process was killed."""
LEFTOVER = re.compile(rf"\.(?:removed\.)?([0-9a-f]{{32}}(?:-[0-9]+)?)\.(?:\d+|{UNFINISHED})")
LEFTOVER_FRAMES = re.compile(r"\.(?:removed\.)?([0-9a-f]{32})(?:\.\d+)?")
MAP = re.compile(r"[0-9a-f]{32}(?:-[0-9]+)?")
"""Names of the folders of maps and frames: what else lies in the folder is not ours to remove."""


class Stored(NamedTuple):
    """One map of a cache, or the frames of one video."""

    folder: Path
    num_images: int
    first: str  # name of the first image
    size_mb: float
    unused_days: float
    is_open: bool


def stored(cache: Path) -> list[Stored]:
    """Return the maps and frames of a cache, the longest unused one first.

    A damaged map has no images. What is removed meanwhile or not readable is omitted.
    """
    found = [_stored(index.parent) for index in cache.glob(f"*/{IMAGE_INDEX}") if MAP.fullmatch(index.parent.name)]
    found += [_stored_frames(folder) for folder in cache.glob(f"{FRAMES_FOLDER}/*") if MAP.fullmatch(folder.name)]
    return sorted(filter(None, found), key=lambda each: -each.unused_days)


def _stored(folder: Path) -> Stored | None:
    try:
        index = json.loads((folder / IMAGE_INDEX).read_text(encoding="utf-8"))
        names = index["names"] if "names" in index else [each["name"] for each in index["images"]]  # before format 3
        first = str(names[0]) if names else ""
        size = (folder / PIXELS).stat().st_size
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        names, first, size = [], "", 0
    try:
        opened = (folder / IMAGE_INDEX).stat().st_mtime
        with only_user(folder) as alone:
            is_open = not alone
    except OSError:
        return None
    return Stored(folder, len(names), first, size / 1e6, (time.time() - opened) / DAY_S, is_open)


def _stored_frames(folder: Path) -> Stored | None:
    try:
        files = sorted(folder.iterdir())
        size = sum(file.stat().st_size for file in files)
        unused = (time.time() - folder.stat().st_mtime) / DAY_S  # each use sets the time of the folder
    except OSError:
        return None
    first = f"video frame {files[0].stem}" if files else ""
    return Stored(folder, len(files), first, size / 1e6, unused, unused < IN_USE_DAYS)


def remove(cache: Path, unused_days: float) -> Iterator[Stored]:
    """Remove maps and frames that are not open and were not opened for some days, and files of killed processes.

    Args:
        cache: Folder of the maps.
        unused_days: Minimum number of days; 0 removes all that are not open.

    Yields:
        What was removed.
    """
    for dead in cache.glob(".*"):
        if name := LEFTOVER.fullmatch(dead.name):
            _remove_leftover(dead, cache / "locks" / name[1])
    for dead in cache.glob(f"{FRAMES_FOLDER}/.*"):
        if name := LEFTOVER_FRAMES.fullmatch(dead.name):
            _remove_leftover(dead, frames_lock(cache, name[1]))
    for each in stored(cache):
        of_video = each.folder.parent.name == FRAMES_FOLDER
        if each.unused_days >= unused_days and (_remove_frames(cache, each) if of_video else _remove(each.folder)):
            yield each


def frames_lock(cache: Path, key: str) -> Path:
    """Return the lock of the frames of a video.

    Args:
        cache: Folder of the maps.
        key: Name of the frames' folder.
    """
    return cache / "locks" / f"frames-{key}"


def _remove_frames(cache: Path, frames: Stored) -> bool:
    """Rename the frames of a video unless a run takes or reads them, then delete them."""
    gone = frames.folder.with_name(f".removed.{frames.folder.name}.{os.getpid()}")
    try:
        (cache / "locks").mkdir(parents=True, exist_ok=True)
        with FileLock(frames_lock(cache, frames.folder.name), timeout=0):
            now = _stored_frames(frames.folder)
            if now is None or now.is_open:
                return False
            frames.folder.rename(gone)
    except (Timeout, OSError):
        return False
    shutil.rmtree(gone, ignore_errors=True)
    return True


def _remove(folder: Path) -> bool:
    """Rename a map unless it is open, so that no process finds it, then delete it."""
    gone = folder.with_name(f".removed.{folder.name}.{os.getpid()}")
    try:
        with only_user(folder) as alone:
            if not alone:
                return False
            folder.rename(gone)
    except OSError:  # removed already, another user's, or open on Windows
        return False
    shutil.rmtree(gone, ignore_errors=True)
    return True


def _remove_leftover(dead: Path, lock: Path) -> None:
    """Remove an unfinished map or a partly removed one, unless a process holds its lock."""
    try:
        with FileLock(lock, timeout=0):
            shutil.rmtree(dead, ignore_errors=True)
    except (Timeout, OSError):
        return


def in_words(maps: list[Stored]) -> str:
    """Return a summary: number and size of the maps and frames, and how much is removable."""
    total = sum(each.size_mb for each in maps) / 1e3
    idle = sum(each.size_mb for each in maps if each.unused_days >= UNUSED_DAYS and not each.is_open) / 1e3
    said = f"{len(maps)} set{'' if len(maps) == 1 else 's'} of decoded images, {total:.1f} GB"
    hint = f"{idle:.1f} GB not opened for {UNUSED_DAYS} days: python -m sr.data --remove {UNUSED_DAYS}"
    return f"{said}; {hint}" if idle else said
