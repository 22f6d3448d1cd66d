"""One file of bytes that holds every LR and HR image of a set, mapped into memory and never copied as a whole."""

import contextlib
import json
import mmap
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sr.data.pairs import ImagePair, Pairs

try:
    import fcntl
except ImportError:  # Windows, which does not let go of files that are open
    HAS_LOCKS = False
else:
    HAS_LOCKS = True

PIXELS, INDEX = "pixels.u8", "index.json"


class GoneError(ValueError):
    """The map was removed."""


class PixelMap(Pairs):
    """The decoded pairs of one folder, as read-only views on a memory map.

    Pickles as the folder's name and opens the map again on the other side. While it is open, `sr.data.cache_cleanup`
    leaves the folder alone.

    Args:
        folder: what `write_pixel_map` made.

    Raises:
        GoneError: there is nothing.
        ValueError: the folder is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held = _hold(folder)
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            size = (folder / PIXELS).stat().st_size
        except (OSError, ValueError) as error:
            raise ValueError(f"the decoded images in {folder} are damaged ({error}); remove that folder") from error
        if size != index["num_bytes"]:
            raise ValueError(f"{folder / PIXELS} has {size} bytes instead of {index['num_bytes']}; remove that folder")
        self._images: list[dict[str, Any]] = index["images"]

    def __reduce__(self) -> tuple[type, tuple[Path]]:
        return PixelMap, (self.folder,)

    def __len__(self) -> int:
        return len(self._images)

    def pair(self, index: int) -> ImagePair:
        """Views on the pixels of one image."""
        image = self._images[index]
        return ImagePair(
            image["name"], self._view(image["lr_offset"], image["lr"]), self._view(image["hr_offset"], image["hr"])
        )

    def lr_size(self, index: int) -> tuple[int, int]:
        """Height and width of an LR image, without touching its pixels."""
        height, width = self._images[index]["lr"]
        return height, width

    def name(self, index: int) -> str:
        """Name of an image, without touching its pixels."""
        return self._images[index]["name"]

    def thumbnails(self) -> np.ndarray:
        """Every image's luma averaged over a grid: (num_images, 256) uint8, enough to recognise a picture again."""
        return np.array([list(bytes.fromhex(image["thumbnail"])) for image in self._images], np.uint8)

    def _view(self, offset: int, size: Sequence[int]) -> np.ndarray:
        height, width = size
        return self._bytes[offset : offset + height * width * 3].reshape(height, width, 3)

    @cached_property
    def _bytes(self) -> np.ndarray:
        with open(self.folder / PIXELS, "rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if hasattr(mmap, "MADV_WILLNEED"):
            # Crops come from anywhere: ask for the file in one sweep instead of page by page.
            mapped.madvise(mmap.MADV_WILLNEED)
        return np.frombuffer(mapped, np.uint8)


def _hold(folder: Path) -> FileIO:
    """Open a map's index with a lock that others share and that ends with the file or the process.

    Raises:
        GoneError: there is no map, or it went while we waited for the lock.
    """
    path = folder / INDEX
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
    with contextlib.suppress(OSError):  # a cache that is only read
        os.utime(path)  # when it was last opened
    return file


@contextlib.contextmanager
def only_user(folder: Path) -> Iterator[bool]:
    """Lock a map against being opened; False, and no lock, where a process has it open or the file system has no locks.

    Without locks it is True: there, an open file cannot be renamed or removed.
    """
    with open(folder / INDEX, "rb") as file:
        alone = True
        if HAS_LOCKS:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                alone = False
        yield alone


def write_pixel_map(folder: Path, pairs: Iterable[ImagePair]) -> None:
    """Write pairs one by one into a new folder and push them to the disk; the index comes last.

    Args:
        folder: an empty folder.
        pairs: consumed one at a time, so that only one pair need be in memory.
    """
    images: list[dict[str, Any]] = []
    with open(folder / PIXELS, "wb") as file:
        for pair in pairs:
            offsets = {}
            for kind, pixels in (("lr", pair.lr), ("hr", pair.hr)):
                offsets[f"{kind}_offset"] = file.tell()
                file.write(np.ascontiguousarray(pixels).data)
            images.append(
                {
                    "name": pair.name,
                    "lr": pair.lr.shape[:2],
                    "hr": pair.hr.shape[:2],
                    **offsets,
                    "thumbnail": _thumbnail(pair.hr),
                }
            )
        num_bytes = file.tell()
        file.flush()
        os.fsync(file.fileno())
    with open(folder / INDEX, "w", encoding="utf-8") as index:
        json.dump({"num_bytes": num_bytes, "images": images}, index)
        index.flush()
        os.fsync(index.fileno())


def _thumbnail(hr: np.ndarray) -> str:
    return Image.fromarray(hr).convert("L").resize((16, 16), Image.Resampling.BOX).tobytes().hex()
