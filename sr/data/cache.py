"""Cache of decoded images (pixel maps), shared by all runs and processes.

The name of a map is a hash of everything that determines its pixels: contents and names of the files, scale, shrink,
and the versions of reader and resize. A changed source file gives a new map; an old map is unused, never wrong.
"""

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from tqdm import tqdm

from sr.data.cache_cleanup import UNFINISHED, in_words, stored
from sr.data.decode import SourceImage, decode_all, in_order, needs, resized, usable
from sr.data.image import READER, check_regular
from sr.data.pixel_map import IMAGE_INDEX, GoneError, PixelMap, write_pixel_map
from sr.data.pixel_record import Recorded
from sr.functional.resize import ScaleRatio, as_ratio
from sr.runs.files import write_atomically

log = logging.getLogger(__name__)

FORMAT = 3
"""Version of the file layout of a pixel map; it does not change the fingerprint of the images."""
_RACY_S = 2.0  # a younger file may change again without a new time stamp

Entry = tuple[int, int, str]  # a file's size in bytes, modification time in ns, SHA-256


def decoded(
    images: Sequence[SourceImage],
    *,
    scale: ScaleRatio,
    shrink: ScaleRatio,
    cache: Path,
    max_megapixels: float | None = None,
) -> PixelMap:
    """Open the pixel map of a set of images, and create it first if it does not exist; safe for parallel processes.

    Args:
        images: The images in order, at least one.
        scale: HR size / LR size.
        shrink: Factor by which HR images are downscaled first; 1 for none.
        cache: Folder of the maps.
        max_megapixels: As in `read_image`.

    Raises:
        ValueError: If files cannot be used (the message lists them) or the cache cannot be written.
    """
    assert images
    paths = [path for image in images for path in (image.path, image.lr_path) if path]
    recipe: dict[str, Any] = {"scale": as_ratio(scale), "shrink": as_ratio(shrink)}
    reading = recipe | {"max_megapixels": max_megapixels}
    try:
        hashes = content_hashes(paths, cache)
    except ValueError:
        needs(images, **reading)  # lists unreadable files and files that are not images together
        raise
    folder = cache / f"{_key(images, hashes, **recipe)}-{FORMAT}"
    return stored_map(folder, [image.name for image in images], partial(_rest, images, reading, cache))


def stored_map(
    folder: Path, names: Sequence[str], rest: Callable[[int], Iterator[Recorded]], *, num_bytes: int = 0
) -> PixelMap:
    """Open a pixel map, and create it first if it does not exist; safe for parallel processes.

    Args:
        folder: Of the map, named by a hash of everything that determines its pixels, inside the cache.
        names: Of its images, in order.
        rest: Yields the images from one number on.
        num_bytes: Size of the pixels, to see before the work whether the disk has room; 0 if `rest` does.

    Raises:
        ValueError: From `rest`, or if the cache cannot be written.
    """
    while True:
        if not (folder / IMAGE_INDEX).is_file():
            _build_once(folder, names, rest, num_bytes)
        try:
            return PixelMap(folder)
        except GoneError:  # removed just now
            continue


def content_hashes(paths: Sequence[Path], cache: Path) -> list[str]:
    """Return the SHA-256 of each file, in order; a file with unchanged size and time stamp is not read again.

    Args:
        paths: The files.
        cache: Folder where the hashes are saved.

    Raises:
        ValueError: If files cannot be read; the message lists them.
    """
    names = _absolute(paths)
    memo = cache / "hashes" / f"{hashlib.sha256(os.fsencode(chr(0).join(names))).hexdigest()[:32]}.json"
    with _alone(cache, memo.stem):  # jobs that start together read each file once
        entries = _entries(memo, names, paths)
    return [entries[name][2] for name in names]


@contextmanager
def _alone(cache: Path, name: str) -> Iterator[None]:
    """Hold a lock of the cache; without one where the cache cannot be written."""
    with ExitStack() as held:
        with suppress(OSError):
            (cache / "locks").mkdir(parents=True, exist_ok=True)
            held.enter_context(FileLock(cache / "locks" / name))
        yield


def _entries(memo: Path, names: Sequence[str], paths: Sequence[Path]) -> dict[str, Entry]:
    """Return the entry of each file, from the memo where the file is unchanged, and update the memo."""
    known = _read_memo(memo)
    entries = {name: known[name] for name in names if name in known and _is_unchanged(name, known[name])}
    new = [(name, path) for name, path in zip(names, paths, strict=True) if name not in entries]
    hashed = usable(in_order(_hashed, [path for _, path in new]), len(paths))
    entries |= dict(zip([name for name, _ in new], hashed, strict=True))
    now = time.time()
    settled = {name: entry for name, entry in entries.items() if now - entry[1] / 1e9 > _RACY_S}
    if settled != known:
        try:
            write_atomically(memo, json.dumps(settled))
        except OSError as error:
            log.warning("%s cannot be written (%s): the source files are hashed again at each start", memo, error)
    return entries


def _read_memo(memo: Path) -> dict[str, Entry]:
    try:
        return {name: (size, time_ns, sha) for name, (size, time_ns, sha) in json.loads(memo.read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # absent or damaged: hash again


def _absolute(paths: Sequence[Path]) -> list[str]:
    """Return absolute paths; each folder is resolved only once. Strings take less time than pathlib here."""
    split = [os.path.split(path) for path in paths]
    folders = {folder: os.path.realpath(folder) for folder in set(map(itemgetter(0), split))}
    return [os.path.join(folders[folder], name) for folder, name in split]


def _is_unchanged(name: str, known: Entry) -> bool:
    try:
        state = os.stat(name)
    except (OSError, ValueError):
        return False
    return known[:2] == (state.st_size, state.st_mtime_ns)


def _hashed(path: Path) -> Entry:
    stat = check_regular(path)
    try:
        with open(path, "rb") as file:
            return stat.st_size, stat.st_mtime_ns, hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}); check its permissions") from error


def _key(images: Sequence[SourceImage], hashes: Sequence[str], scale: Fraction, shrink: Fraction) -> str:
    """Return the name of the map of these images; the hashes are those of their files in order."""
    files = iter(hashes)
    listed = [[image.name, next(files), next(files) if image.lr_path else None] for image in images]
    recipe = [1, READER, str(scale), str(shrink), resize_fingerprint(scale, shrink), listed]
    return hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:32]


def resize_fingerprint(scale: Fraction, shrink: Fraction) -> str:
    """Return a hash of the resize of a small fixed image, which changes if the resize changes."""
    row, column, channel = np.ogrid[:24, :36, :3]
    image = ((row * 37 + column * 61 + row * column * 5 + channel * 89) % 256).astype(np.uint8)
    hr, lr = resized(image, scale, shrink)
    return hashlib.sha256(hr.tobytes() + lr.tobytes()).hexdigest()[:16]


def _build_once(folder: Path, names: Sequence[str], rest: Callable[[int], Iterator[Recorded]], num_bytes: int) -> None:
    """Create a map under its lock; other processes wait and then use it."""
    cache = folder.parent
    try:
        (cache / "locks").mkdir(parents=True, exist_ok=True)
        with FileLock(cache / "locks" / folder.name):
            if (folder / IMAGE_INDEX).is_file():
                return
            _refuse_full_disk(cache, num_bytes, len(names))
            _build(folder, names, rest)
    except OSError as error:
        free = f"{shutil.disk_usage(cache).free / 1e9:.2f} GB free there" if cache.is_dir() else "no such folder"
        raise ValueError(
            f"cannot write the decoded images to {cache}: {error.strerror or error} ({free}); "
            "free some space (`python -m sr.data` lists old ones), or name another folder with data.cache=<folder> or "
            "SR_CACHE"
        ) from error


def _refuse_full_disk(cache: Path, num_bytes: int, num_images: int) -> None:
    if num_bytes > shutil.disk_usage(cache).free:
        raise OSError(f"{num_bytes / 1e9:.2f} GB are needed for {num_images} images")


def _build(folder: Path, names: Sequence[str], rest: Callable[[int], Iterator[Recorded]]) -> None:
    """Write a map to a folder with another name, then rename it, so that it is never incomplete.

    A killed process leaves its part, with which the next one goes on; an error removes it.
    """
    started, cache = time.perf_counter(), folder.parent
    unfinished = cache / f".{folder.name}.{UNFINISHED}"
    try:
        unfinished.mkdir(exist_ok=True)
        write_pixel_map(unfinished, names, rest)
        os.rename(unfinished, folder)
    except (ValueError, OSError):
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    if os.name == "posix":  # write the new folder name to the disk as well
        descriptor = os.open(cache, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    log.info("wrote %d images in %.1f s", len(names), time.perf_counter() - started)
    log.info("the cache holds %s", in_words(stored(cache)))


def _rest(images: Sequence[SourceImage], reading: dict[str, Any], cache: Path, done: int) -> Iterator[Recorded]:
    """Decode the images from number `done` on, with a progress bar on a terminal."""
    rest = images[done:]
    needed = needs(rest, **reading)  # reads headers only, so wrong files are found within seconds
    _refuse_full_disk(cache, needed.num_bytes, len(rest))
    earlier = f", after {done} that an earlier start decoded" if done else ""
    log.info("decoding %d images (%.2f GB) into %s%s", len(rest), needed.num_bytes / 1e9, cache, earlier)
    decoded_now = decode_all(rest, **reading, num_threads=needed.num_threads)
    shown = {"total": len(images), "initial": done, "unit": "image", "disable": None, "delay": 2}
    yield from tqdm(decoded_now, "decoding", **shown)
