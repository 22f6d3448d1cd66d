"""Test sets by name: where their usual copies keep the HR images, and how to tell a set from another cut of it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sr.data.image import ENDINGS, read_image
from sr.data.pairs import ImagePair
from sr.data.pixel_map import PixelMap
from sr.functional.resize import as_ratio

PLACES = ("", "test", "benchmark", "testsets")
"""Folders below the root in which a set may lie."""
_HR_FOLDERS = ("hr", "gtmod12", "original", "gt")
_MADE_FROM_HR = ("_lr", "_bicubic", "_nearest", "_glasner", "_kim", "_sco", "_srcnn", "_selfexsr", "_srf_2_lr")


class KnownSet(NamedTuple):
    """A set that papers report on."""

    title: str
    num_images: int
    pixels_sha256: str | None
    """`pixels_hash` of the cut that this project measures on; None where it has not been measured."""
    srf: int | None
    """The one folder `image_SRF_<n>` whose HR images are the set's, where the others hold different images."""


KNOWN = {
    "set5": KnownSet("Set5", 5, "56d899b36425f6e2932d723ffc58806b5f82e6731427bb2990b7d877f2ea3f95", None),
    "set14": KnownSet("Set14", 14, "f58a95f24549c95a1b265e155b020c6b54038fe4e3761f7de613678f0ca76a2f", None),
    "bsd100": KnownSet("BSD100", 100, "74b75001187461d0cb0c49e58b7f1d6ebbfd397234d9f9c0d975fa353cf09007", None),
    # SelfExSR's SRF_2 folder holds other HR images: bicubic x2 gives 26.57 dB there, 26.87 on SRF_4, 26.88 in papers.
    "urban100": KnownSet("Urban100", 100, None, 4),
    "manga109": KnownSet("Manga109", 109, None, None),
    "gaming_test": KnownSet("gaming_test", 5, "351d73da3e1eddc41bd9d8492527418709672ba2a49f70bc6578eb528da85d64", None),
}


def find_set(name: str, root: Path, scale: int | float) -> list[Path]:
    """The HR files of a test set.

    A set is a folder of its name, in any case, below the root or one of `PLACES`. Inside it the images lie directly, in
    `HR`, or in `image_SRF_<n>` as SelfExSR and its copies have them; LR images beside them are passed over.

    Args:
        name: "set5", "urban100", ..., or the name of any folder of images.
        root: where to look.
        scale: decides between folders `image_SRF_<n>`.

    Raises:
        ValueError: no such set, not all of its images, or the wrong copy of it.
    """
    folder = _folder(name, root)
    known = KNOWN.get(name.lower())
    files = _hr_files(folder, known, as_ratio(scale))
    if known and len(files) != known.num_images:
        raise ValueError(
            f"{known.title} has {known.num_images} images, but {files[0].parent} holds {len(files)}; numbers of "
            "a part of a set compare with nothing: complete it, or give the folder another name"
        )
    return files


def _folder(name: str, root: Path) -> Path:
    looked = [root / place for place in PLACES]
    for place in looked:
        for folder in sorted(place.iterdir()) if place.is_dir() else []:
            if folder.name.lower() == name.lower() and folder.is_dir():
                return folder
    places = ", ".join(str(place) for place in looked)
    raise ValueError(
        f"test set {name!r} is not in {places}; put its HR images into a folder {root / name}, "
        "name the place with data.test_root=<folder> (or SR_DATA), or leave the set out of data.test"
    )


def _hr_files(folder: Path, known: KnownSet | None, scale: Fraction) -> list[Path]:
    children = {child.name.lower(): child for child in sorted(folder.iterdir()) if child.is_dir()}
    srf = {
        int(name[10:]): child
        for name, child in children.items()
        if name.startswith("image_srf_") and name[10:].isdigit()
    }
    if srf:
        folder = _srf_folder(folder, srf, known, scale)
    else:
        folder = next((children[name] for name in _HR_FOLDERS if name in children), folder)
    files = [
        path for path in sorted(folder.iterdir()) if path.suffix.lower() in ENDINGS and not path.name.startswith(".")
    ]
    marked = [path for path in files if path.stem.lower().endswith("_hr")]
    if srf and marked:
        return marked
    files = [path for path in files if not path.stem.lower().endswith(_MADE_FROM_HR)]
    if not files:
        raise ValueError(f"{folder} holds no HR image ({', '.join(ENDINGS)}); put the set's images there")
    return files


def _srf_folder(folder: Path, srf: dict[int, Path], known: KnownSet | None, scale: Fraction) -> Path:
    wanted = known.srf if known and known.srf else None
    if wanted and wanted not in srf:
        raise ValueError(
            f"{folder} has image_SRF_{', image_SRF_'.join(map(str, sorted(srf)))}, but the images of "
            f"image_SRF_{wanted} are used at every scale, since the other folders hold different ones; add that folder"
        )
    order = [wanted] if wanted else [int(scale) if scale.denominator == 1 else 4, 4, 2, 3, *sorted(srf)]
    return srf[next(n for n in order if n in srf)]


def pixels_hash(files: Iterable[Path]) -> str:
    """SHA-256 over the decoded images of a set, whatever their names, order and file format.

    Returns:
        64 hex digits; equal sets give equal values, however they were saved without loss.
    """
    images = (read_image(path) for path in files)
    each = sorted(hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest() for image in images)
    return hashlib.sha256("".join(each).encode()).hexdigest()


def lookalikes(ours: PixelMap, theirs: PixelMap, correlation: float) -> list[tuple[str, str]]:
    """Pairs of names of pictures that are probably the same one, perhaps saved or cropped a little differently.

    Args:
        ours: decoded images.
        theirs: decoded images.
        correlation: least correlation of two thumbnails, 0..1.
    """
    similar = _normal(ours.thumbnails()) @ _normal(theirs.thumbnails()).T
    return [(ours.name(i), theirs.name(j)) for i, j in np.argwhere(similar > correlation).tolist()]


def refuse_test_images(ours: Sequence[ImagePair], tests: Mapping[str, Sequence[ImagePair]]) -> None:
    """Refuse images that are, pixel by pixel, those of a test set: who learned from them has seen the answer.

    Args:
        ours: what is trained or calibrated on.
        tests: test sets by name; an image is read whole only where a few of its rows are those of another.

    Raises:
        ValueError: with the names.
    """
    for name, theirs in tests.items():
        by_rows = {_few_rows(pair): pair for pair in theirs}
        alike = [(pair, by_rows.get(_few_rows(pair))) for pair in ours]
        same = [(a.name, b.name) for a, b in alike if b is not None and np.array_equal(a.hr, b.hr)]
        if listed := [f"{mine} is {other}" for mine, other in same]:
            raise ValueError(
                f"{len(listed)} training images are images of test set {name} ({', '.join(listed[:5])}); nothing is "
                "calibrated on what is scored: take them out of data.sources, or the set out of data.test"
            )


def _few_rows(pair: ImagePair) -> bytes:
    """Size and every 64th row of an LR image, which tells pictures apart without reading them whole."""
    return repr(pair.lr.shape).encode() + pair.lr[::64].tobytes()


def _normal(thumbnails: np.ndarray) -> np.ndarray:
    centred = thumbnails - thumbnails.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
