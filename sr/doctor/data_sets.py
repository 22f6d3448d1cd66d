"""Check test sets: files against the manifest, and the PSNR of bicubic against published values."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sr.doctor.finding import Finding
from sr.runs.files import sha256

SETS = ("set5", "set14", "bsd100", "urban100")
QUICK_SETS = ("set5", "set14")
_SCALES = (2, 3, 4)
TOLERANCE_DB = 0.02
MANIFEST = "MANIFEST.csv"


class BicubicRow(NamedTuple):
    """Published and measured PSNR of bicubic on a test set, in dB."""

    test_set: str
    scale: int
    protocol: str
    published_db: float
    measured_db: float

    @property
    def difference_db(self) -> float:
        """Return the measured minus the published PSNR."""
        return self.measured_db - self.published_db

    @property
    def reproduced(self) -> bool:
        """Return whether the difference is within the tolerance."""
        return abs(self.difference_db) <= TOLERANCE_DB


def present(name: str, root: Path) -> bool:
    """Return whether a folder of a test set exists, complete or not.

    Args:
        name: One of `SETS`.
        root: Folder of the image sets.
    """
    from sr.data.test_sets import TEST_SET_FOLDERS

    places = [root / place for place in TEST_SET_FOLDERS]
    return any(child.name.lower() == name for place in places if place.is_dir() for child in place.iterdir())


def check_manifest(root: Path) -> Iterator[Finding]:
    """Check that every existing file in the manifest has the listed SHA-256.

    Args:
        root: Folder of the image sets.

    Yields:
        One finding.
    """
    if not (root / MANIFEST).is_file():
        yield Finding(MANIFEST, "note", f"there is no {MANIFEST}, so files are not checked")
        return
    with open(root / MANIFEST, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        entries = list(reader)
    if not {"file", "sha256"} <= set(reader.fieldnames or ()):
        yield Finding(
            MANIFEST, "note", f"it has columns {reader.fieldnames}; without `file` and `sha256` files are not checked"
        )
        return
    here = [entry for entry in entries if (root / entry["file"]).is_file()]
    changed = [entry["file"] for entry in here if sha256(root / entry["file"]) != entry["sha256"]]
    if changed:
        shown = ", ".join(changed[:5]) + (" ..." if len(changed) > 5 else "")
        yield Finding(
            MANIFEST, "broken", f"{len(changed)} of {len(here)} files have a wrong SHA-256: {shown}; copy them again"
        )
    else:
        missing = f"; {len(entries) - len(here)} do not exist" if len(entries) > len(here) else ""
        yield Finding(MANIFEST, "ok", f"{len(here)} of {len(entries)} files have the listed SHA-256{missing}")


def check_set(name: str, root: Path) -> Iterator[Finding]:
    """Check that the images of a test set are those of the usual copy.

    Args:
        name: One of `SETS`.
        root: Folder of the image sets.

    Yields:
        One finding, with the number of images.
    """
    from sr.data.test_sets import KNOWN, find_set, pixels_hash

    known = KNOWN[name]
    if not present(name, root):
        yield Finding(known.title, "note", "not found")
        return
    files = find_set(name, root, _SCALES[0])
    grey = grey_files(files)
    detail = f"{len(files)} images in {files[0].parent}"
    if grey:
        named = ", ".join(path.name for path in grey)
        detail += f"; {named} has one channel: read as grey RGB, but as luma under y_only (0.09 dB on Set14)"
    if known.pixels_sha256 and pixels_hash(files) != known.pixels_sha256:
        yield Finding(
            known.title, "warning", f"{detail}; the pixels differ from the usual copy, see the bicubic rows below"
        )
    else:
        yield Finding(known.title, "ok", detail)


def grey_files(files: Sequence[Path]) -> list[Path]:
    """Return the image files with a single channel.

    Args:
        files: Image files.
    """
    from sr.data.image import has_one_channel

    return [path for path in files if has_one_channel(path)]


def bicubic_rows(name: str, root: Path, scales: Sequence[int] = _SCALES) -> Iterator[BicubicRow]:
    """Measure the PSNR of bicubic on a test set, for every scale and protocol with a published value.

    Args:
        name: One of `SETS`.
        root: Folder of the image sets.
        scales: Upscaling factors.

    Yields:
        One row for each published value.
    """
    from sr import metrics
    from sr.data.image import has_one_channel, read_image
    from sr.data.pairs import ImagePair
    from sr.data.test_sets import find_set
    from sr.evaluation import evaluate, upscaler
    from sr.functional.resize import crop_to_multiple, downscale
    from sr.models.interpolation import Bicubic

    for scale in scales:
        files = find_set(name, root, scale)
        cropped = [(path, crop_to_multiple(read_image(path), scale)) for path in files]
        pairs = [ImagePair(path.stem, downscale(hr, scale), hr, has_one_channel(path)) for path, hr in cropped]
        for protocol, value in published_rows(name, scale).items():
            score = evaluate(upscaler(Bicubic(scale=scale)), pairs, metrics.protocol(protocol), scale)
            yield BicubicRow(name, scale, protocol, value, score.psnr_db)


def published_rows(name: str, scale: int) -> dict[str, float]:
    """Return the published PSNR of bicubic in dB by protocol, for luma protocols.

    Args:
        name: One of `SETS`.
        scale: Upscaling factor.
    """
    from sr import metrics
    from sr.report.published import published

    return {
        value.protocol: value.value
        for value in published()
        if (value.label, value.set, value.scale, value.quantity) == ("bicubic", name, scale, "psnr_y_db")
        and value.protocol in metrics.PROTOCOLS
    }


def check_rows(rows: Sequence[BicubicRow]) -> Iterator[Finding]:
    """Check the bicubic rows of one test set against the published values.

    Args:
        rows: At least one row.

    Yields:
        One finding.
    """
    wrong = [row for row in rows if not row.reproduced]
    title = f"bicubic on {rows[0].test_set}"
    if wrong:
        scales = ", ".join(f"x{row.scale} {row.protocol} {row.difference_db:+.3f} dB" for row in wrong)
        yield Finding(title, "broken", f"{scales}: not the images of the published values, or another resize")
    else:
        worst = max(abs(row.difference_db) for row in rows)
        yield Finding(title, "ok", f"all {len(rows)} rows within {worst:.3f} dB of the published values")
