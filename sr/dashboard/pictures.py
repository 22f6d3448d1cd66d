"""Pictures of test images that runs wrote, cut to one window of each image and encoded without loss.

All runs' pictures of an image are read at once, so that the window and the spots are where the runs differ most.
"""

import base64
import functools
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from sr.dashboard.regions_of_interest import Box, spots, window
from sr.data.image import opened
from sr.functional.picture import GAP
from sr.report.runs import Run
from sr.runs.files import stamp
from sr.runs.names import inside

RESULT = "images/images.json"
SHARED = ("nearest", "bicubic", "hr")
"""Columns that all runs have alike; the others are what the run itself made."""
NUM_SPOTS = 4
MAX_DECODED = 300
"""Pictures kept in memory for the next page of a server."""


class File(NamedTuple):
    """A picture: a file, and which part of it; None for all."""

    path: Path
    part: Box | None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Pictures of one test image by one run: files by column, in the order of the columns."""

    run: str
    set: str
    image: str
    scale: float
    files: dict[str, File]


@dataclass(kw_only=True)
class Budget:
    """Bytes of pictures that a page may still hold, and the pictures that were left out."""

    left: int
    omitted: list[str] = field(default_factory=list)


def pictures(runs: Iterable[Run], *, side: int, budget: Budget) -> list[dict[str, Any]]:
    """Gather the pictures of all runs, an entry for each test image.

    Args:
        runs: finished or not; a run without pictures is passed over.
        side: largest height and width in HR pixels of what is kept of an image; 0 keeps all of it.
        budget: bytes to spend; what does not fit is named in it.

    Returns:
        Entries {"id", "set", "image", "scale", "block" (side in HR pixels of what a net repeats: 3 at x1.5), "size"
        (width, height), "origin" (x, y of the window in the image), "shared": {column: URL}, "layers": [{"run",
        "column", "url"}], "spots": [[x, y, side], ...]}.
    """
    groups: dict[tuple[str, str, float, str], list[Shown]] = {}
    for shown in (each for run in runs for each in shown_by(run)):
        truth = hashlib.sha256(_read(shown.files["hr"]).tobytes()).hexdigest()
        groups.setdefault((shown.set, shown.image, shown.scale, truth), []).append(shown)
    entries = [entry for members in groups.values() if (entry := _entry(members, side=side, budget=budget))]
    for index, entry in enumerate(entries):  # one name, but another HR: never put side by side, so told apart
        before = sum(other["id"].split("#")[0] == entry["id"] for other in entries[:index])
        entry["id"] += f"#{before + 1}" if before else ""
    return entries


def shown_by(run: Run) -> Iterator[Shown]:
    """Yield the pictures of a run: whole ones, else its strips cut apart; none if they cannot be read."""
    try:
        result = json.loads((run.folder / RESULT).read_text(encoding="utf-8"))
        scale = float((run.report.config if run.report else run.config)["scale"])
        layers = result.get("layers") or list(_of_strips(run.folder, result))
        name = f"{run.experiment}/{run.name}"
        for layer in layers:
            files = {str(column): _file(run.folder, file) for column, file in layer["files"].items()}
            yield Shown(run=name, set=str(layer["set"]), image=str(layer["image"]), scale=scale, files=_checked(files))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return


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


def _file(folder: Path, file: Any) -> File:
    """Return a file of a run folder; a path that leads outside is refused."""
    path, part = (file, None) if isinstance(file, str) else file
    return File(inside(folder, path), part)


def _checked(files: dict[str, File]) -> dict[str, File]:
    """Return the files if they can be read and are of one size.

    Raises:
        ValueError: they are not.
    """
    sizes = {column: _size(file) for column, file in files.items()}
    if "hr" not in sizes or len(set(sizes.values())) != 1:
        raise ValueError(f"pictures of one size with an hr are needed, got {sizes}")
    return files


def _size(file: File) -> tuple[int, int]:
    """Return width and height of a picture, read from its header.

    Raises:
        ValueError: The part that is meant is not in it.
    """
    with opened(file.path) as image:
        width, height = image.size
    if not file.part:
        return width, height
    x, y, part_width, part_height = file.part
    if min(x, y) < 0 or x + part_width > width or y + part_height > height:
        raise ValueError(f"{file.path} has no part {file.part}")
    return part_width, part_height


def _read(file: File) -> np.ndarray:
    """Return a picture (H, W, 3) uint8."""
    return _decoded(file, stamp(file.path))


@functools.lru_cache(maxsize=MAX_DECODED)
def _decoded(file: File, _: object) -> np.ndarray:
    """Read a picture, once for each stamp of its file."""
    with opened(file.path) as image:
        pixels = np.asarray(image.convert("RGB"))
    if file.part is None:
        return pixels
    x, y, width, height = file.part
    return pixels[y : y + height, x : x + width]


def _entry(members: Sequence[Shown], *, side: int, budget: Budget) -> dict[str, Any] | None:
    """Return all runs' pictures of one image as an entry; None if the budget has no room for any."""
    from sr.functional.resize import as_ratio  # imports torch, which a page without pictures need not wait for

    first = members[0]
    name = f"{first.set}/{first.image}-x{first.scale:g}"
    if budget.left <= 0:
        made = [shown for shown in members for column in shown.files if column not in SHARED]
        budget.omitted += [f"{shown.run}: {name}" for shown in made]
        return None
    shared = {column: _read(first.files[column]) for column in SHARED if column in first.files}
    layers = [
        (shown.run, column, _read(file))
        for shown in members
        for column, file in shown.files.items()
        if column not in SHARED
    ]
    compared = [pixels for _, _, pixels in layers] or list(shared.values())
    box = window(compared, side)
    entry: dict[str, Any] = {
        "id": name,
        "set": first.set,
        "image": first.image,
        "scale": first.scale,
        "block": max(2, as_ratio(first.scale).numerator),
        "size": [box.width, box.height],
        "origin": [box.x, box.y],
        "shared": {column: _encoded(cut(pixels, box)) for column, pixels in shared.items()},
        "layers": [],
        "spots": [list(spot)[:3] for spot in spots([cut(pixels, box) for pixels in compared], NUM_SPOTS)],
    }
    budget.left -= sum(map(len, entry["shared"].values()))
    for run, column, pixels in layers:
        url = _encoded(cut(pixels, box)) if budget.left > 0 else ""
        budget.left -= len(url)
        if url:
            entry["layers"].append({"run": run, "column": column, "url": url})
        else:
            budget.omitted.append(f"{run}: {entry['id']}")
    return entry if entry["layers"] or not layers else None


def cut(pixels: np.ndarray, box: Box) -> np.ndarray:
    """Return a part of a picture (H, W, 3)."""
    return pixels[box.y : box.y + box.height, box.x : box.x + box.width]


def _encoded(pixels: np.ndarray) -> str:
    """Return a picture as a data URL, in lossless WebP."""
    return _webp(np.ascontiguousarray(pixels).tobytes(), *pixels.shape[:2])


@functools.lru_cache(maxsize=MAX_DECODED)
def _webp(pixels: bytes, height: int, width: int) -> str:
    """Encode RGB pixels, once for each content."""
    file = io.BytesIO()
    Image.frombytes("RGB", (width, height), pixels).save(file, format="WEBP", lossless=True, quality=20, method=1)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
