"""Pictures of test images that runs wrote, cut to one window of each image and encoded without loss.

All runs' pictures of an image are read at once, so that the window and the spots are where the runs differ most.
"""

import base64
import functools
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from sr.report.kept_pictures import MAX_DECODED, SHARED, KeptPictures, cut, kept_pictures, read_pixels
from sr.report.regions_of_interest import spots, window
from sr.report.runs import Run

NUM_SPOTS = 4


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
        truth = hashlib.sha256(read_pixels(shown.files["hr"]).tobytes()).hexdigest()
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
    shared = {column: read_pixels(first.files[column]) for column in SHARED if column in first.files}
    layers = [
        (shown.run, column, read_pixels(file))
        for shown in members
        for column, file in shown.files.items()
        if column not in SHARED
    ]
    compared = [pixels for _, _, pixels in layers]
    if len({run for run, _, _ in layers}) < 2:  # one run: where its net differs from bicubic and from the truth
        compared += [pixels for column, pixels in shared.items() if column != "nearest"]
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


def _encoded(pixels: np.ndarray) -> str:
    """Return a picture as a data URL, in lossless WebP."""
    return _webp(np.ascontiguousarray(pixels).tobytes(), *pixels.shape[:2])


@functools.lru_cache(maxsize=MAX_DECODED)
def _webp(pixels: bytes, height: int, width: int) -> str:
    """Encode RGB pixels, once for each content."""
    file = io.BytesIO()
    Image.frombytes("RGB", (width, height), pixels).save(file, format="WEBP", lossless=True, quality=20, method=1)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
