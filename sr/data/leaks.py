"""Find images on both sides of a split: exact copies by the hash of their pixels, similar ones by their thumbnails."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from sr.data.split import MapPart

log = logging.getLogger(__name__)

_SAME_PICTURE = 0.99  # thumbnails of different photographs correlate at 0.95 at most, a crop of one at 0.999
_ROWS = 1024  # thumbnails compared at once
_SHOWN = 5  # pairs named in one message


def copies(ours: Sequence[MapPart], theirs: Sequence[MapPart]) -> list[tuple[str, str]]:
    """Return the names of images that are equal pixel by pixel; no pixel is read."""
    names = {images.hr_hash(i): images.name(i) for images, chosen in theirs for i in chosen}
    return [
        (images.name(i), names[images.hr_hash(i)])
        for images, chosen in ours
        for i in chosen
        if images.hr_hash(i) in names
    ]


def lookalikes(ours: Sequence[MapPart], theirs: Sequence[MapPart]) -> list[tuple[str, str]]:
    """Return the names of pictures that are probably the same: saved, cropped or scaled a little differently."""
    others, found = _thumbnails(theirs), []
    their_names = [images.name(i) for images, chosen in theirs for i in chosen]
    for images, chosen in ours:
        for first in range(0, len(chosen), _ROWS):
            some = chosen[first : first + _ROWS]
            similar = _thumbnails([(images, some)]) @ others.T
            found += [(images.name(some[i]), their_names[j]) for i, j in np.argwhere(similar > _SAME_PICTURE).tolist()]
    return found


def refuse_test_images(training: Sequence[MapPart], tests: Mapping[str, Sequence[MapPart]]) -> None:
    """Raise ValueError if a training image is, pixel by pixel, one of a test set: a net that learns from it knows it.

    Raises:
        ValueError: with the names.
    """
    for name, theirs in tests.items():
        if same := copies(training, theirs):
            raise ValueError(
                f"{len(same)} training images are images of test set {name} ({_listed(same, 'is')}); nothing is "
                "trained or calibrated on what is scored: take them out of data.sources, or the set out of data.test"
            )


def warn_of_leaks(training: Sequence[MapPart], scored: Mapping[str, Sequence[MapPart]]) -> None:
    """Log one line for each set whose score training images would flatter, exact copies apart from similar pictures.

    Args:
        training: the training images.
        scored: the held-out images and the test sets, by name.
    """
    for name, theirs in scored.items():
        same = copies(training, theirs)
        alike = [pair for pair in lookalikes(training, theirs) if pair not in same]
        if same:
            log.warning("%d training images are images of %s and flatter it: %s", len(same), name, _listed(same, "is"))
        if alike:
            log.warning(
                "%d training images look like images of %s and may flatter it: %s",
                len(alike), name, _listed(alike, "looks like"),
            )  # fmt: skip


def _thumbnails(parts: Sequence[MapPart]) -> np.ndarray:
    """Thumbnails (N, 256) whose products are correlations; zero for images of one colour, which look like nothing."""
    chosen = np.concatenate([images.thumbnails()[list(indices)] for images, indices in parts]).astype(np.float32)
    centred = chosen - chosen.mean(axis=1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)


def _listed(pairs: Sequence[tuple[str, str]], verb: str) -> str:
    named = ", ".join(f"{ours} {verb} {theirs}" for ours, theirs in pairs[:_SHOWN])
    return named + (", ..." if len(pairs) > _SHOWN else "")
