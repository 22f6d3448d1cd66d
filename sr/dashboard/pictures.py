"""Pictures of test images that runs wrote, cut to one window of each image and encoded without loss.

All runs' pictures of an image are read at once, so that the window and the spots are where the runs differ most.
"""

import base64
import functools
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from sr.report.kept_pictures import (
    MAX_REMEMBERED,
    SHARED,
    KeptPictures,
    PictureFile,
    cut,
    kept_pictures,
    pixel_hash,
    read_pixels,
)
from sr.report.regions_of_interest import Box, spots, window
from sr.report.runs import Run
from sr.runs.files import stamp

NUM_SPOTS = 4
MAX_COMPARED = 32
"""Pictures of an image that decide where it is looked at, so that hundreds of runs cost no more memory and time."""


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
    groups: dict[tuple[str, str, float, str], list[KeptPictures]] = {}
    for shown in (each for run in runs for each in kept_pictures(run)):
        truth = pixel_hash(shown.files["hr"])
        groups.setdefault((shown.set, shown.image, shown.scale, truth), []).append(shown)
    entries = [entry for members in groups.values() if (entry := _entry(members, side=side, budget=budget))]
    for index, entry in enumerate(entries):  # one name, but another HR: never put side by side, so told apart
        before = sum(other["id"].split("#")[0] == entry["id"] for other in entries[:index])
        entry["id"] += f"#{before + 1}" if before else ""
    return entries


def _entry(members: Sequence[KeptPictures], *, side: int, budget: Budget) -> dict[str, Any] | None:
    """Return all runs' pictures of one image as an entry; None if the budget has no room for any."""
    from sr.functional.resize import as_ratio  # imports torch, which a page without pictures need not wait for

    first = members[0]
    name = f"{first.set}/{first.image}-x{first.scale:g}"
    if budget.left <= 0:
        made = [shown for shown in members for column in shown.files if column not in SHARED]
        budget.omitted += [f"{shown.run}: {name}" for shown in made]
        return None
    shared = {column: first.files[column] for column in SHARED if column in first.files}
    layers = [
        (shown.run, column, file) for shown in members for column, file in shown.files.items() if column not in SHARED
    ]
    compared = [file for _, _, file in layers]
    if len({run for run, _, _ in layers}) < 2:  # one run: where its net differs from bicubic and from the truth
        compared += [file for column, file in shared.items() if column != "nearest"]
    box, places = _regions(compared, side)
    entry: dict[str, Any] = {
        "id": name,
        "set": first.set,
        "image": first.image,
        "scale": first.scale,
        "block": max(2, as_ratio(first.scale).numerator),
        "size": [box.width, box.height],
        "origin": [box.x, box.y],
        "shared": {column: _encoded(file, box) for column, file in shared.items()},
        "layers": [],
        "spots": [list(spot)[:3] for spot in places],
    }
    budget.left -= sum(map(len, entry["shared"].values()))
    for run, column, file in layers:
        url = _encoded(file, box) if budget.left > 0 else ""
        budget.left -= len(url)
        if url:
            entry["layers"].append({"run": run, "column": column, "url": url})
        else:
            budget.omitted.append(f"{run}: {entry['id']}")
    return entry if entry["layers"] or not layers else None


def _regions(files: Sequence[PictureFile], side: int) -> tuple[Box, list[Box]]:
    """Return the window of at most `side` pixels and the spots within it in which pictures differ most.

    Of many pictures, those with the smallest hashes are compared: another run rarely changes the choice.
    """
    compared = dict(sorted((pixel_hash(file), file) for file in files)[:MAX_COMPARED])
    return _found_regions(tuple(compared.items()), side)


@functools.lru_cache(maxsize=MAX_REMEMBERED)
def _found_regions(compared: tuple[tuple[str, PictureFile], ...], side: int) -> tuple[Box, list[Box]]:
    shown = [read_pixels(file) for _, file in compared]
    box = window(shown, side)
    return box, spots([cut(pixels, box) for pixels in shown], NUM_SPOTS)


def _encoded(file: PictureFile, box: Box) -> str:
    """Return a part of a picture as a data URL, in lossless WebP."""
    return _webp(file, box, stamp(file.path))


@functools.lru_cache(maxsize=MAX_REMEMBERED)
def _webp(file: PictureFile, box: Box, _: object) -> str:
    """Encode a part of a picture, once for each stamp of its file."""
    written, pixels = io.BytesIO(), np.ascontiguousarray(cut(read_pixels(file), box))
    Image.fromarray(pixels).save(written, format="WEBP", lossless=True, quality=20, method=1)
    return f"data:image/webp;base64,{base64.b64encode(written.getvalue()).decode()}"
