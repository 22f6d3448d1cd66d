"""Test sets: are the files those of the manifest, and does bicubic give the published numbers on them?"""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sr.doctor.finding import Finding

SETS = ("set5", "set14", "bsd100", "urban100")
QUICK_SETS = ("set5", "set14")
SCALES = (2, 3, 4)
TOLERANCE_DB = 0.02
MANIFEST = "MANIFEST.csv"


class Row(NamedTuple):
    """Bicubic on a set: what is published under a protocol, and what comes out here."""

    test_set: str
    scale: int
    protocol: str
    published_db: float
    ours_db: float

    @property
    def reproduced(self) -> bool:
        """Whether the two agree."""
        return abs(self.ours_db - self.published_db) <= TOLERANCE_DB


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def present(name: str, root: Path) -> bool:
    """Whether there is a folder of a set's name where sets may lie, whole or not."""
    from sr.data.test_sets import PLACES

    places = [root / place for place in PLACES]
    return any(child.name.lower() == name for place in places if place.is_dir() for child in place.iterdir())


def check_manifest(root: Path) -> Iterator[Finding]:
    """Yield whether every file that the manifest lists, and that is here, has its checksum."""
    if not (root / MANIFEST).is_file():
        yield Finding(MANIFEST, "note", "none at the root, so files are not checked")
        return
    with open(root / MANIFEST, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        entries = list(reader)
    if not {"file", "sha256"} <= set(reader.fieldnames or ()):
        yield Finding(
            MANIFEST, "note", f"its columns are {reader.fieldnames}; without `file` and `sha256` files are not checked"
        )
        return
    here = [entry for entry in entries if (root / entry["file"]).is_file()]
    changed = [entry["file"] for entry in here if sha256(root / entry["file"]) != entry["sha256"]]
    if changed:
        shown = ", ".join(changed[:5]) + (" ..." if len(changed) > 5 else "")
        yield Finding(
            MANIFEST, "broken", f"{len(changed)} of {len(here)} files have another SHA-256: {shown}; copy them again"
        )
    else:
        missing = f"; {len(entries) - len(here)} are not here" if len(entries) > len(here) else ""
        yield Finding(MANIFEST, "ok", f"{len(here)} of {len(entries)} files, each with its SHA-256{missing}")


def check_set(name: str, root: Path) -> Iterator[Finding]:
    """Yield the size of a set and whether its images are the ones that this project measures on."""
    from sr.data.test_sets import KNOWN, find_set, pixels_hash

    known = KNOWN[name]
    if not present(name, root):
        yield Finding(known.title, "note", "not here")
        return
    files = find_set(name, root, SCALES[0])
    grey = grey_files(files)
    detail = f"{len(files)} images in {files[0].parent}"
    if grey:
        named = ", ".join(path.name for path in grey)
        detail += f"; {named} has one channel: RGB of three equal ones, but luma itself under y_only (0.09 dB on Set14)"
    if known.pixels_sha256 and pixels_hash(files) != known.pixels_sha256:
        yield Finding(
            known.title, "warning", f"{detail}; the pixels are not those of the usual copy, see the rows below"
        )
    else:
        yield Finding(known.title, "ok", detail)


def grey_files(files: Sequence[Path]) -> list[Path]:
    """Return those image files that have a single channel."""
    from sr.data.image import has_one_channel

    return [path for path in files if has_one_channel(path)]


def bicubic_rows(name: str, root: Path, scales: Sequence[int] = SCALES) -> Iterator[Row]:
    """Score bicubic on a set under every protocol that has a published PSNR of it.

    Args:
        name: one of `SETS`.
        root: where the set lies.
        scales: upscaling factors.
    """
    from sr import metrics
    from sr.data.image import has_one_channel, read_image
    from sr.data.pairs import ImagePair
    from sr.data.test_sets import find_set
    from sr.evaluation import evaluate, upscaler
    from sr.functional.resize import crop_to_multiple, downscale, imresize
    from sr.models.interpolation import Bicubic

    for scale in scales:
        files = find_set(name, root, scale)
        cropped = [(path, crop_to_multiple(read_image(path), scale)) for path in files]
        pairs = [ImagePair(path.stem, downscale(hr, scale), hr, has_one_channel(path)) for path, hr in cropped]
        for protocol, value in published_rows(name, scale).items():
            # MATLAB rounds bytes between its two passes, a net does not; luma alone is float to the end in both.
            luma_only = metrics.protocol(protocol).luma_only
            upscale = upscaler(Bicubic(scale=scale)) if luma_only else partial(imresize, scale=scale)
            score = evaluate(upscale, pairs, metrics.protocol(protocol), scale)
            yield Row(name, scale, protocol, value, score.psnr_db)


def published_rows(name: str, scale: int) -> dict[str, float]:
    """Protocol -> published PSNR of bicubic in dB, luma protocols only."""
    from sr import metrics
    from sr.report.published import published

    return {
        value.protocol: value.value
        for value in published()
        if (value.label, value.set, value.scale, value.quantity) == ("bicubic", name, scale, "psnr_y_db")
        and value.protocol in metrics.PROTOCOLS
    }


def check_rows(rows: Sequence[Row]) -> Iterator[Finding]:
    """Yield one finding for the rows of a set."""
    wrong = [row for row in rows if not row.reproduced]
    title = f"bicubic on {rows[0].test_set}"
    if wrong:
        scales = ", ".join(f"x{row.scale} {row.protocol} {row.ours_db - row.published_db:+.3f} dB" for row in wrong)
        yield Finding(title, "broken", f"{scales}: other images than published numbers are of, or another resize")
    else:
        worst = max(abs(row.ours_db - row.published_db) for row in rows)
        yield Finding(title, "ok", f"all {len(rows)} rows within {worst:.3f} dB of the published ones")
