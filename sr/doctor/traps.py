"""Check for known problems of image sets: test images among training images, and wrong copies of test sets."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from sr.doctor.data_sets import SETS, present
from sr.doctor.finding import Finding
from sr.runs.files import sha256

_SAME_PICTURE = 0.99
"""Correlation of thumbnails above which two pictures count as the same; different photographs of the usual sets reach
0.95 at most."""

# The test images of BSDS300. They are `val` in BSDS500 and BSD100 in super-resolution.
_NUMBERS = """
    3096 8023 12084 14037 16077 19021 21077 24077 33039 37073 38082 38092 41033 41069 42012 42049 43074 45096 54082
    55073 58060 62096 65033 66053 69015 69020 69040 76053 78004 85048 86000 86016 86068 87046 89072 97033 101085
    101087 102061 103070 105025 106024 108005 108070 108082 109053 119082 123074 126007 130026 134035 143090 145086
    147091 148026 148089 156065 157055 159008 160068 163085 167062 167083 170057 175032 175043 182053 189080 196073
    197017 208001 210088 216081 219090 220075 223061 227092 229036 236037 241004 241048 253027 253055 260058 271035
    285079 291000 295087 296007 296059 299086 300091 302008 304034 304074 306005 351093 361010 376043 385039
"""
BSD100_NUMBERS = frozenset(_NUMBERS.split())


def training_images(root: Path) -> list[Path]:
    """Return the images in a folder that do not belong to a test set.

    Args:
        root: Folder of the image sets.

    Raises:
        ValueError: If the folder has no images.
    """
    from sr.data.image_files import find_images
    from sr.data.test_sets import KNOWN, TEST_SET_FOLDERS

    tests = {*KNOWN, *filter(None, TEST_SET_FOLDERS)}
    return [path for path in find_images(root) if not tests & {part.lower() for part in path.relative_to(root).parts}]


def images_of_sets(root: Path) -> list[Path]:
    """Return the HR images of the known test sets that exist and are complete.

    Args:
        root: Folder of the image sets.
    """
    from sr.data.test_sets import find_set

    images: list[Path] = []
    for name in SETS:
        if present(name, root):
            with suppress(ValueError):  # an incomplete set is a finding of its own
                images += find_set(name, root, 2)
    return images


def check_bsds(training: Iterable[Path]) -> Iterator[Finding]:
    """Check that no training image has the file name of a BSD100 image.

    Args:
        training: Training images.

    Yields:
        One finding.
    """
    found = [path for path in training if path.stem in BSD100_NUMBERS]
    if found:
        folders = ", ".join(sorted({str(path.parent) for path in found}))
        yield Finding(
            "BSDS val = BSD100",
            "warning",
            f"{len(found)} images of BSD100 are in {folders}: do not train on them, or remove BSD100 from data.test",
        )
    else:
        yield Finding("BSDS val = BSD100", "ok", "no training image has the name of a BSD100 image")


def check_urban(root: Path) -> Iterator[Finding]:
    """Check for the folder SRF_2 of Urban100, which has other HR images than papers use.

    Args:
        root: Folder of the image sets.

    Yields:
        A finding if the folder exists.
    """
    found = sorted(folder for folder in root.rglob("image_SRF_2") if "urban100" in str(folder).lower())
    if found:
        yield Finding(
            "Urban100 SRF_2",
            "note",
            f"{found[0]} has other HR images (bicubic x2 26.57 dB, published 26.88); only image_SRF_4 is used",
        )


def check_copies(training: Iterable[Path], tests: Iterable[Path]) -> Iterator[Finding]:
    """Check that no training file equals a test file byte for byte.

    Args:
        training: Training images.
        tests: Test images.

    Yields:
        One finding.
    """
    hashes = {sha256(path): path for path in tests}
    sizes = {path.stat().st_size for path in hashes.values()}
    candidates = [path for path in training if path.stat().st_size in sizes]
    copies = [(path, hashes[digest]) for path in candidates if (digest := sha256(path)) in hashes]
    if copies:
        yield Finding("copies of test images", "warning", _listed(copies) + "; do not train on them")
    else:
        yield Finding("copies of test images", "ok", "no training file equals a test image")


def check_lookalikes(training: list[Path], tests: list[Path]) -> Iterator[Finding]:
    """Check that no training image shows the picture of a test image, also if it was recompressed, resized or cropped.

    Args:
        training: Training images.
        tests: Test images.

    Yields:
        One finding, if there are images of both kinds.
    """
    if not training or not tests:
        return
    with ThreadPoolExecutor() as pool:
        rows, columns = (_standardized(np.stack([*pool.map(thumbnail, paths)])) for paths in (training, tests))
    alike = rows @ columns.T > _SAME_PICTURE
    pairs = [(training[i], tests[j]) for i, j in np.argwhere(alike).tolist()]
    if pairs:
        yield Finding("pictures of test sets", "warning", _listed(pairs) + "; compare them, and do not train on them")
    else:
        yield Finding(
            "pictures of test sets",
            "ok",
            f"none of {len(training)} training images shows the picture of one of {len(tests)} test images",
        )


def _standardized(thumbnails: np.ndarray) -> np.ndarray:
    """Standardize thumbnails (N, 256) so that scalar products are correlations; flat pictures become NaN."""
    centred = thumbnails - thumbnails.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def thumbnail(path: Path) -> np.ndarray:
    """Return the luma of a picture averaged over a grid of 16 x 16, (256,) float64.

    Args:
        path: The image file.

    Raises:
        ValueError: If the file cannot be read.
    """
    from sr.data.image import opened

    with opened(path) as image:
        image.draft("L", (256, 256))  # lets JPEG decode at a fraction of its size
        luma = image.convert("F" if image.mode.startswith("I") else "L")  # "L" clips 16 bits
        return np.asarray(luma.resize((16, 16), Image.Resampling.BOX), np.float64).ravel()


def _listed(pairs: list[tuple[Path, Path]]) -> str:
    shown = ", ".join(f"{found} is {test.parent.name}/{test.name}" for found, test in pairs[:5])
    return f"{len(pairs)}: {shown}" + (" ..." if len(pairs) > 5 else "")
