"""Pixel map: all LR and HR images of a set in one memory-mapped file."""

import contextlib
import hashlib
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
from sr.data.pixel_check import checksum, is_checked, note_checked, refuse_damage
from sr.data.statistics import moments

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
            size = (folder / PIXELS).stat().st_size
        except (OSError, ValueError) as error:
            raise ValueError(f"the decoded images in {folder} are damaged ({error}); remove that folder") from error
        if size != index["num_bytes"]:
            raise ValueError(f"{folder / PIXELS} has {size} bytes instead of {index['num_bytes']}; remove that folder")
        self._images: list[dict[str, Any]] = index["images"]
        if not is_checked(folder / PIXELS):
            refuse_damage(folder / PIXELS, [(each["name"], self._parts(each)) for each in self._images])
            note_checked(folder / PIXELS)

    def __reduce__(self) -> tuple[type, tuple[Path]]:
        return PixelMap, (self.folder,)

    def __len__(self) -> int:
        return len(self._images)

    @property
    def recipe(self) -> str:
        """Hash of everything that determines the pixels, without the version of the file layout."""
        return self.folder.name.partition("-")[0]

    def pair(self, index: int) -> ImagePair:
        """Return views of the pixels of one image."""
        image = self._images[index]
        lr, hr = (self._view(image[f"{kind}_offset"], image[kind]) for kind in ("lr", "hr"))
        return ImagePair(image["name"], lr, hr, image["one_channel"])

    def lr_size(self, index: int) -> tuple[int, int]:
        """Return height and width of an LR image, without reading its pixels."""
        height, width = self._images[index]["lr"]
        return height, width

    def name(self, index: int) -> str:
        """Return the name of an image, without reading its pixels."""
        return self._images[index]["name"]

    def hr_hash(self, index: int) -> str:
        """Return the saved hash of the size and pixels of an HR image, without reading its pixels."""
        return self._images[index]["hr_sha256"]

    def lr_moments(self, indices: Sequence[int]) -> np.ndarray:
        """Return the summed `moments` (3, 3) of some LR images, without reading their pixels."""
        return np.sum([self._images[i]["lr_moments"] for i in indices], axis=0, dtype=np.int64).reshape(3, 3)

    def thumbnails(self) -> np.ndarray:
        """Return the luma of each image averaged over a 16x16 grid: (num_images, 256) uint8."""
        joined = bytes.fromhex("".join(image["thumbnail"] for image in self._images))
        return np.frombuffer(joined, np.uint8).reshape(-1, 256)

    def _parts(self, image: dict[str, Any]) -> list[tuple[np.ndarray, int]]:
        return [(self._view(image[f"{kind}_offset"], image[kind]), image[f"{kind}_crc32"]) for kind in ("lr", "hr")]

    def _view(self, offset: int, size: Sequence[int]) -> np.ndarray:
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


def write_pixel_map(folder: Path, pairs: Iterable[ImagePair]) -> None:
    """Write pairs one by one to a folder and flush them to disk; the index is written last.

    Args:
        folder: An empty folder.
        pairs: The pairs, consumed one at a time to save memory.
    """
    images: list[dict[str, Any]] = []
    with open(folder / PIXELS, "wb") as file:
        for pair in pairs:
            entry: dict[str, Any] = {"name": pair.name, "one_channel": pair.one_channel}
            for kind, pixels in (("lr", pair.lr), ("hr", pair.hr)):
                pixels = np.ascontiguousarray(pixels)
                entry |= {kind: pixels.shape[:2], f"{kind}_offset": file.tell(), f"{kind}_crc32": checksum(pixels)}
                file.write(pixels.data)
            images.append(entry | _facts(pair))
        num_bytes = file.tell()
        file.flush()
        os.fsync(file.fileno())
    note_checked(folder / PIXELS)
    index = json.dumps({"num_bytes": num_bytes, "images": images}).encode()
    for name, content in ((INDEX_HASH, hashlib.sha256(index).hexdigest().encode()), (IMAGE_INDEX, index)):
        with open(folder / name, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _facts(pair: ImagePair) -> dict[str, Any]:
    """Return facts of an image that later starts need without reading its pixels."""
    pixels = hashlib.sha256(repr(pair.hr.shape).encode())
    pixels.update(np.ascontiguousarray(pair.hr).data)
    thumbnail = Image.fromarray(pair.hr).convert("L").resize((16, 16), Image.Resampling.BOX)
    return {
        "hr_sha256": pixels.hexdigest()[:32],
        "lr_moments": moments(pair.lr).tolist(),
        "thumbnail": thumbnail.tobytes().hex(),
    }
