"""Find test or held-out images among the training images, by pixel hashes and thumbnails."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from sr.data.split import MapPart
from sr.runs.files import write_atomically

log = logging.getLogger(__name__)

_SAME_PICTURE = 0.99  # correlation; different photographs reach 0.95, crops of the same one 0.999
_ROWS = 1024  # thumbnails compared at once
_SHOWN = 5  # pairs listed in a message


def copies(training: Sequence[MapPart], scored: Sequence[MapPart]) -> list[tuple[str, str]]:
    """Return the names of training and scored images with equal pixels, without reading the pixels."""
    names = {images.hr_hash(i): images.name(i) for images, chosen in scored for i in chosen}
    return [
        (images.name(i), names[images.hr_hash(i)])
        for images, chosen in training
        for i in chosen
        if images.hr_hash(i) in names
    ]


def lookalikes(training: Sequence[MapPart], scored: Sequence[MapPart]) -> list[tuple[str, str]]:
    """Return the names of training and scored images that are probably copies, slightly cropped or scaled.

    The result is kept in the cache: 90 thousand training images and 10 thousand others are 900 million comparisons.
    """
    memo = _memo(training, scored)
    try:
        return [(first, second) for first, second in json.loads(memo.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):  # absent or damaged
        found = _compared(training, scored)
    with suppress(OSError):  # a cache that cannot be written
        write_atomically(memo, json.dumps(found))
    return found


def _memo(training: Sequence[MapPart], scored: Sequence[MapPart]) -> Path:
    """Return the file that keeps the result for these images."""
    content = [[[images.recipe, list(map(int, chosen))] for images, chosen in side] for side in (training, scored)]
    name = hashlib.sha256(json.dumps([_SAME_PICTURE, *content]).encode()).hexdigest()[:32]
    return training[0][0].folder.parent / "lookalikes" / f"{name}.json"


def _compared(training: Sequence[MapPart], scored: Sequence[MapPart]) -> list[tuple[str, str]]:
    """Compare the thumbnails of all training with all scored images."""
    others, found = _thumbnails(scored), []
    names = [images.name(i) for images, chosen in scored for i in chosen]
    for images, chosen in training:
        for first in range(0, len(chosen), _ROWS):
            some = chosen[first : first + _ROWS]
            similar = _thumbnails([(images, some)]) @ others.T
            found += [(images.name(some[i]), names[j]) for i, j in np.argwhere(similar > _SAME_PICTURE).tolist()]
    return found


def refuse_test_images(training: Sequence[MapPart], tests: Mapping[str, Sequence[MapPart]]) -> None:
    """Raise ValueError if a training image equals an image of a test set.

    Args:
        training: The training images.
        tests: The test sets by name.

    Raises:
        ValueError: With the names of the images.
    """
    for name, images in tests.items():
        if same := copies(training, images):
            raise ValueError(
                f"{len(same)} training images are images of test set {name} ({_listed(same, 'is')}); training and "
                "calibration must not use test images: remove them from data.sources, or the set from data.test"
            )


def warn_of_leaks(training: Sequence[MapPart], scored: Mapping[str, Sequence[MapPart]]) -> None:
    """Log a warning for each set with copies or similar images among the training images.

    Args:
        training: The training images.
        scored: The held-out images and the test sets, by name.
    """
    for name, images in scored.items():
        same = copies(training, images)
        alike = [pair for pair in lookalikes(training, images) if pair not in same]
        if same:
            log.warning(
                "%d training images are images of %s, so its score is too high: %s",
                len(same),
                name,
                _listed(same, "is"),
            )
        if alike:
            log.warning(
                "%d training images look like images of %s, so its score may be too high: %s",
                len(alike), name, _listed(alike, "looks like"),
            )  # fmt: skip


def _thumbnails(parts: Sequence[MapPart]) -> np.ndarray:
    """Return normalised thumbnails (N, 256), whose products are correlations; zero for images of one colour."""
    chosen = np.concatenate([images.thumbnails()[list(indices)] for images, indices in parts]).astype(np.float32)
    centred = chosen - chosen.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)


def _listed(pairs: Sequence[tuple[str, str]], verb: str) -> str:
    named = ", ".join(f"{training} {verb} {scored}" for training, scored in pairs[:_SHOWN])
    return named + (", ..." if len(pairs) > _SHOWN else "")
