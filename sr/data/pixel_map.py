"""One file of bytes that holds every LR and HR image of a set, mapped into memory and never copied as a whole."""

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
except ImportError:  # Windows, which does not let go of files that are open
    HAS_LOCKS = False
else:
    HAS_LOCKS = True

PIXELS, INDEX, INDEX_HASH = "pixels.u8", "index.json", "index.sha256"


class GoneError(ValueError):
    """The map was removed."""


class PixelMap(Pairs):
    """The decoded pairs of one folder, as read-only views on a memory map.

    Opening compares the pixels with their checksums unless that was done lately and the file was not touched since (see
    `sr.data.pixel_check`). Pickles as the folder's name and opens the map again on the other side. While it is open,
    `sr.data.cache_cleanup` leaves the folder alone.

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
            raw = (folder / INDEX).read_bytes()
            if hashlib.sha256(raw).hexdigest() != (folder / INDEX_HASH).read_text(encoding="utf-8"):
                raise ValueError(f"{INDEX} is not what was written")
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
        """The hash of what decides the pixels, whatever the layout of the folder."""
        return self.folder.name.partition("-")[0]

    def pair(self, index: int) -> ImagePair:
        """Return views on the pixels of one image."""
        image = self._images[index]
        lr, hr = (self._view(image[f"{kind}_offset"], image[kind]) for kind in ("lr", "hr"))
        return ImagePair(image["name"], lr, hr, image["one_channel"])

    def lr_size(self, index: int) -> tuple[int, int]:
        """Return height and width of an LR image, without touching its pixels."""
        height, width = self._images[index]["lr"]
        return height, width

    def name(self, index: int) -> str:
        """Return the name of an image, without touching its pixels."""
        return self._images[index]["name"]

    def hr_hash(self, index: int) -> str:
        """Return the hash of an HR image's size and pixels, without touching them: equal images have equal ones."""
        return self._images[index]["hr_sha256"]

    def lr_moments(self, indices: Sequence[int]) -> np.ndarray:
        """Return the `moments` of all pixels of some LR images together, without touching them: (3, 3)."""
        return np.sum([self._images[i]["lr_moments"] for i in indices], axis=0, dtype=np.int64).reshape(3, 3)

    def thumbnails(self) -> np.ndarray:
        """Return every image's luma averaged over a grid: (num_images, 256) uint8, enough to recognise a picture."""
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
    for name, content in ((INDEX_HASH, hashlib.sha256(index).hexdigest().encode()), (INDEX, index)):
        with open(folder / name, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _facts(pair: ImagePair) -> dict[str, Any]:
    """What later starts want to know of an image without reading its pixels again."""
    pixels = hashlib.sha256(repr(pair.hr.shape).encode())
    pixels.update(np.ascontiguousarray(pair.hr).data)
    thumbnail = Image.fromarray(pair.hr).convert("L").resize((16, 16), Image.Resampling.BOX)
    return {
        "hr_sha256": pixels.hexdigest()[:32],
        "lr_moments": moments(pair.lr).tolist(),
        "thumbnail": thumbnail.tobytes().hex(),
    }
