"""Pictures of test images that runs kept: whole ones of each column, or strips of older runs cut apart."""

import functools
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sr.data.image import opened
from sr.functional.picture import GAP
from sr.report.regions_of_interest import Box
from sr.report.runs import Run
from sr.runs.files import stamp
from sr.runs.names import inside

RESULT = "images/images.json"
SHARED = ("nearest", "bicubic", "hr")
"""Columns that all runs have alike; the others are what the run itself made."""
MAX_REMEMBERED = 20000
"""Files of which a server remembers size, hash and encoded part, so that it reads only those that changed."""


class PictureFile(NamedTuple):
    """A picture: a file, and which part of it; None for all."""

    path: Path
    part: Box | None


@dataclass(frozen=True, kw_only=True)
class KeptPictures:
    """Pictures of one test image by one run: files by column, in the order of the columns."""

    run: str
    set: str
    image: str
    scale: float
    files: dict[str, PictureFile]


def kept_pictures(run: Run) -> Iterator[KeptPictures]:
    """Yield the pictures of a run: whole ones, else its strips cut apart; none if they cannot be read."""
    try:
        result = json.loads((run.folder / RESULT).read_text(encoding="utf-8"))
        scale = float((run.report.config if run.report else run.config)["scale"])
        layers = result.get("layers") or list(_of_strips(run.folder, result))
        name = f"{run.experiment}/{run.name}"
        for layer in layers:
            files = {str(column): _file(run.folder, file) for column, file in layer["files"].items()}
            image, files = str(layer["image"]), _checked(files)
            yield KeptPictures(run=name, set=str(layer["set"]), image=image, scale=scale, files=files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return


def read_pixels(file: PictureFile) -> np.ndarray:
    """Return a picture (H, W, 3) uint8."""
    with opened(file.path) as image:
        pixels = np.asarray(image.convert("RGB"))
    return pixels if file.part is None else cut(pixels, file.part)


def pixel_hash(file: PictureFile) -> str:
    """Return a hash of the pixels of a picture; an unchanged file is not read again."""
    return _known_hash(file, stamp(file.path))


def cut(pixels: np.ndarray, box: Box) -> np.ndarray:
    """Return a part of a picture (H, W, 3)."""
    return pixels[box.y : box.y + box.height, box.x : box.x + box.width]


def _of_strips(folder: Path, result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the columns of pictures that hold all columns side by side."""
    columns = result["columns"]
    for path in result["files"]:
        with opened(inside(folder, path)) as image:
            width, height = image.size
        side = (width - GAP * (len(columns) - 1)) // len(columns)
        boxes = [Box(index * (side + GAP), 0, side, height) for index in range(len(columns))]
        set_name, _, name = Path(path).stem.partition("_")
        files = {column: (path, box) for column, box in zip(columns, boxes, strict=True)}
        yield {"set": set_name, "image": name, "files": files}


def _file(folder: Path, file: Any) -> PictureFile:
    """Return a file of a run folder; a path that leads outside is refused."""
    path, part = (file, None) if isinstance(file, str) else file
    return PictureFile(inside(folder, path), part)


def _checked(files: dict[str, PictureFile]) -> dict[str, PictureFile]:
    """Return the files if they can be read and are of one size.

    Raises:
        ValueError: they are not.
    """
    sizes = {column: _size(file) for column, file in files.items()}
    if "hr" not in sizes or len(set(sizes.values())) != 1:
        raise ValueError(f"pictures of one size with an hr are needed, got {sizes}")
    return files


def _size(file: PictureFile) -> tuple[int, int]:
    """Return width and height of a picture, read from its header.

    Raises:
        ValueError: The part that is meant is not in it.
    """
    width, height = _whole_size(file.path, stamp(file.path))
    if not file.part:
        return width, height
    x, y, part_width, part_height = file.part
    if min(x, y) < 0 or x + part_width > width or y + part_height > height:
        raise ValueError(f"{file.path} has no part {file.part}")
    return part_width, part_height


@functools.lru_cache(maxsize=MAX_REMEMBERED)
def _whole_size(path: Path, _: object) -> tuple[int, int]:
    """Return width and height of an image file, read once for each of its stamps."""
    with opened(path) as image:
        return image.size


@functools.lru_cache(maxsize=MAX_REMEMBERED)
def _known_hash(file: PictureFile, _: object) -> str:
    """Hash a picture once for each stamp of its file."""
    return hashlib.sha256(read_pixels(file).tobytes()).hexdigest()
