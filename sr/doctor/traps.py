"""Known traps of the field's data sets: test images among the training images, and wrong copies of test sets."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from sr.doctor.data_sets import SETS, present, sha256
from sr.doctor.finding import Finding

SAME_PICTURE = 0.99
"""Correlation of two thumbnails; of different photographs of the usual sets it is 0.95 at most."""

# BSDS300's test images. BSDS500 calls them `val`, and super-resolution calls them BSD100.
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
    """Every image below the root that does not lie in a test set, or in a folder for test sets."""
    from sr.data.image_files import find_images
    from sr.data.test_sets import KNOWN, PLACES

    tests = {*KNOWN, *filter(None, PLACES)}
    return [path for path in find_images(root) if not tests & {part.lower() for part in path.relative_to(root).parts}]


def images_of_sets(root: Path) -> list[Path]:
    """The HR images of the known test sets that are here and whole."""
    from sr.data.test_sets import find_set

    images: list[Path] = []
    for name in SETS:
        if present(name, root):
            with suppress(ValueError):  # an incomplete set is a finding of its own
                images += find_set(name, root, 2)
    return images


def check_bsds(training: Iterable[Path]) -> Iterator[Finding]:
    """Yield whether BSD100 lies among the training images under its own file names."""
    found = [path for path in training if path.stem in BSD100_NUMBERS]
    if found:
        folders = ", ".join(sorted({str(path.parent) for path in found}))
        yield Finding(
            "BSDS val = BSD100",
            "warning",
            f"{len(found)} images of BSD100 lie in {folders}: do not train on them, or leave BSD100 out of data.test",
        )
    else:
        yield Finding("BSDS val = BSD100", "ok", "no training image has the name of a BSD100 image")


def check_urban(root: Path) -> Iterator[Finding]:
    """Yield whether the folder SRF_2 of Urban100 is here, whose HR images are not those that papers report on."""
    found = sorted(folder for folder in root.rglob("image_SRF_2") if "urban100" in str(folder).lower())
    if found:
        yield Finding(
            "Urban100 SRF_2",
            "note",
            f"{found[0]} holds other HR images (bicubic x2 26.57 dB, published 26.88); only image_SRF_4 is used",
        )


def check_copies(training: Iterable[Path], tests: Iterable[Path]) -> Iterator[Finding]:
    """Yield whether a test image lies among the training images, byte for byte."""
    hashes = {sha256(path): path for path in tests}
    sizes = {path.stat().st_size for path in hashes.values()}
    candidates = [path for path in training if path.stat().st_size in sizes]
    copies = [(path, hashes[digest]) for path in candidates if (digest := sha256(path)) in hashes]
    if copies:
        yield Finding("copies of test images", "warning", _listed(copies) + "; do not train on them")
    else:
        yield Finding("copies of test images", "ok", "no training file equals a test image")


def check_lookalikes(training: list[Path], tests: list[Path]) -> Iterator[Finding]:
    """Yield whether a training image shows the same picture as a test image: saved again, resized or trimmed."""
    if not training or not tests:
        return
    with ThreadPoolExecutor() as pool:
        ours, theirs = (_standardized(np.stack([*pool.map(thumbnail, paths)])) for paths in (training, tests))
    alike = ours @ theirs.T > SAME_PICTURE
    pairs = [(training[i], tests[j]) for i, j in np.argwhere(alike).tolist()]
    if pairs:
        yield Finding("pictures of test sets", "warning", _listed(pairs) + "; look at them, and do not train on them")
    else:
        yield Finding(
            "pictures of test sets",
            "ok",
            f"none of {len(training)} training images shows one of {len(tests)} test images",
        )


def _standardized(thumbnails: np.ndarray) -> np.ndarray:
    """Rows (N, 256) whose products are correlations; nan of flat pictures, which look like nothing."""
    apart = thumbnails - thumbnails.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return apart / np.linalg.norm(apart, axis=1, keepdims=True)


def thumbnail(path: Path) -> np.ndarray:
    """A picture's luma averaged over a grid: (256,) float, enough to recognise it again."""
    from sr.data.image import opened

    with opened(path) as image:
        image.draft("L", (256, 256))  # lets JPEG decode at a fraction of its size
        luma = image.convert("F" if image.mode.startswith("I") else "L")  # "L" clips 16 bits
        return np.asarray(luma.resize((16, 16), Image.Resampling.BOX), np.float64).ravel()


def _listed(pairs: list[tuple[Path, Path]]) -> str:
    shown = ", ".join(f"{ours} is {theirs.parent.name}/{theirs.name}" for ours, theirs in pairs[:5])
    return f"{len(pairs)}: {shown}" + (" ..." if len(pairs) > 5 else "")
