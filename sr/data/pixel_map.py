"""Pixel map: all LR and HR images of a set in one memory-mapped file, and a record of each image."""

import contextlib
import hashlib
import json
import mmap
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from sr.data.pairs import ImagePair, Pairs
from sr.data.pixel_check import is_checked, note_checked, refuse_damage
from sr.data.pixel_record import IMAGE_RECORD, RECORDS, Recorded, kept_records

try:
    import fcntl
except ImportError:  # Windows, where open files cannot be removed
    HAS_LOCKS = False
else:
    HAS_LOCKS = True

PIXELS, IMAGE_INDEX, INDEX_HASH = "pixels.u8", "index.json", "index.sha256"


class GoneError(ValueError):
    """The pixel map was removed."""


class PixelMap(Pairs):
    """The decoded pairs of a folder, as read-only views of a memory map.

    Opening compares the pixels with their checksums from time to time (see `sr.data.pixel_check`). A pickled map holds
    only its folder and opens it again. `sr.data.cache_cleanup` does not remove an open map.

    Args:
        folder: Folder that `write_pixel_map` created.

    Raises:
        GoneError: If the folder does not exist.
        ValueError: If the folder is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held = _hold(folder)
        try:
            raw = (folder / IMAGE_INDEX).read_bytes()
            if hashlib.sha256(raw).hexdigest() != (folder / INDEX_HASH).read_text(encoding="utf-8"):
                raise ValueError(f"{IMAGE_INDEX} does not match {INDEX_HASH}")
            index = json.loads(raw)
            records = (folder / RECORDS).read_bytes()
            if hashlib.sha256(records).hexdigest() != index["records_sha256"]:
                raise ValueError(f"{RECORDS} does not match {IMAGE_INDEX}")
            size = (folder / PIXELS).stat().st_size
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"the decoded images in {folder} are damaged ({error}); remove that folder") from error
        if size != index["num_bytes"]:
            raise ValueError(f"{folder / PIXELS} has {size} bytes instead of {index['num_bytes']}; remove that folder")
        self._names: list[str] = index["names"]
        self._records = np.frombuffer(records, IMAGE_RECORD)
        if not is_checked(folder / PIXELS):
            refuse_damage(folder / PIXELS, self._names, self._parts)
            note_checked(folder / PIXELS)

    def __reduce__(self) -> tuple[type, tuple[Path]]:
        return PixelMap, (self.folder,)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def recipe(self) -> str:
        """Hash of everything that determines the pixels, without the version of the file layout."""
        return self.folder.name.partition("-")[0]

    def pair(self, index: int) -> ImagePair:
        """Return views of the pixels of one image."""
        lr_place, hr_place, one_channel = self._places[index]
        return ImagePair(self._names[index], self._view(*lr_place), self._view(*hr_place), one_channel)

    def lr_size(self, index: int) -> tuple[int, int]:
        """Return height and width of an LR image, without reading its pixels."""
        height, width = self._records["lr"][index].tolist()
        return height, width

    def name(self, index: int) -> str:
        """Return the name of an image, without reading its pixels."""
        return self._names[index]

    def hr_hash(self, index: int) -> str:
        """Return the saved hash of the size and pixels of an HR image, without reading its pixels."""
        return self._records["hr_sha256"][index].tobytes().hex()

    def lr_moments(self, indices: Sequence[int]) -> np.ndarray:
        """Return the summed `moments` (3, 3) of some LR images, without reading their pixels."""
        return self._records["lr_moments"][list(indices)].sum(axis=0, dtype=np.int64)

    def thumbnails(self) -> np.ndarray:
        """Return the luma of each image averaged over a 16x16 grid: (num_images, 256) uint8."""
        return self._records["thumbnail"]

    def _parts(self, index: int) -> list[tuple[np.ndarray, int]]:
        pair, image = self.pair(index), self._records[index]
        return [(pair.lr, int(image["lr_crc32"])), (pair.hr, int(image["hr_crc32"]))]

    @cached_property
    def _places(self) -> list[tuple[tuple[int, list[int]], tuple[int, list[int]], bool]]:
        """Offset and size of the LR and of the HR image, and whether it has one channel: lists are read fast."""
        lr, hr = (zip(self._column(f"{kind}_offset"), self._column(kind), strict=True) for kind in ("lr", "hr"))
        return list(zip(lr, hr, self._column("one_channel"), strict=True))

    def _column(self, name: str) -> list[Any]:
        return self._records[name].tolist()

    def _view(self, offset: int, size: list[int]) -> np.ndarray:
        height, width = size
        return self._bytes[offset : offset + height * width * 3].reshape(height, width, 3)

    @cached_property
    def _bytes(self) -> np.ndarray:
        with open(self.folder / PIXELS, "rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if hasattr(mmap, "MADV_WILLNEED"):
            # Crops are random, so read the whole file ahead instead of page by page.
            mapped.madvise(mmap.MADV_WILLNEED)
        return np.frombuffer(mapped, np.uint8)


def _hold(folder: Path) -> FileIO:
    """Open the index of a map with a shared lock, which ends with the file or the process.

    Raises:
        GoneError: If there is no map, or it was removed while waiting for the lock.
    """
    path = folder / IMAGE_INDEX
    try:
        file = FileIO(path)  # stays open, and locked, as long as the map
        if HAS_LOCKS:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_SH)
        if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
            raise FileNotFoundError
    except FileNotFoundError:
        raise GoneError(f"the decoded images in {folder} were removed; run the same command again") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    with contextlib.suppress(OSError):  # a read-only cache
        os.utime(path)  # time of the last opening
    return file


@contextlib.contextmanager
def only_user(folder: Path) -> Iterator[bool]:
    """Lock a map exclusively and yield True; yield False if a process has it open or locking fails.

    On a system without locks (Windows) it yields True, because an open file cannot be renamed or removed there.
    """
    with open(folder / IMAGE_INDEX, "rb") as file:
        alone = True
        if HAS_LOCKS:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                alone = False
        yield alone


def write_pixel_map(folder: Path, names: Sequence[str], rest: Callable[[int], Iterable[Recorded]]) -> None:
    """Write a map into a folder, or go on where a killed process stopped; the index is written last.

    Args:
        folder: Of the unfinished map.
        names: Of all images, in order.
        rest: Returns the images from one on, which are consumed one at a time to save memory.
    """
    with open(folder / PIXELS, "a+b") as pixels, open(folder / RECORDS, "a+b") as records:
        done = kept_records(pixels, records)
        for pair, record in rest(done):
            for kind, image in (("lr", pair.lr), ("hr", pair.hr)):
                record[f"{kind}_offset"] = pixels.tell()
                pixels.write(np.ascontiguousarray(image).data)
            pixels.flush()
            records.write(record.tobytes())
            records.flush()
        num_bytes = pixels.tell()
        for file in (pixels, records):
            file.flush()
            os.fsync(file.fileno())
    note_checked(folder / PIXELS)
    digest = hashlib.sha256((folder / RECORDS).read_bytes()).hexdigest()
    index = json.dumps({"num_bytes": num_bytes, "names": list(names), "records_sha256": digest}).encode()
    for name, content in ((INDEX_HASH, hashlib.sha256(index).hexdigest().encode()), (IMAGE_INDEX, index)):
        with open(folder / name, "wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
