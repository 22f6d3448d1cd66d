"""Which of the source images are trained on: every so many-th is held out, and small ones may be left out."""

import logging
from collections.abc import Sequence

from sr.data.pairs import Chain, Pairs, Renamed, Selection
from sr.data.pixel_map import PixelMap

log = logging.getLogger(__name__)

MapPart = tuple[PixelMap, Sequence[int]]
"""Some images of a map."""
_SHOWN = 8  # names in one message


def every_nth(lengths: Sequence[int], every: int) -> list[tuple[list[int], list[int]]]:
    """Split several sets as if they were one long list, in which every so many-th image is held out.

    Args:
        lengths: images in each set.
        every: 2 or more; of fewer images than this, the last one is held out.

    Returns:
        For each set, the indices of its training images and of its held-out images.

    Raises:
        ValueError: a single image.

    >>> every_nth([3, 4], 3)
    [([0, 1], [2]), ([0, 1, 3], [2])]
    """
    total = sum(lengths)
    if total < 2:
        raise ValueError(
            "the data sources hold a single image, and one must be held out; add images or heldout_sources"
        )
    every, split, before = min(every, total), [], 0
    for length in lengths:
        heldout = [i for i in range(length) if (before + i + 1) % every == 0]
        split.append((sorted({*range(length)} - {*heldout}), heldout))
        before += length
    return split


def large_enough(
    maps: Sequence[PixelMap], chosen: Sequence[Sequence[int]], lr_patch: int, small_images: str
) -> list[list[int]]:
    """Keep the images that hold at least one patch.

    Args:
        maps: decoded images of each source.
        chosen: indices of the training images of each source.
        lr_patch: LR pixels per side of a patch.
        small_images: "refuse" smaller images, or "skip" them, which is logged.

    Raises:
        ValueError: smaller images that are to be refused, or nothing left.
    """
    kept, small = [], []
    for images, indices in zip(maps, chosen, strict=True):
        kept.append([i for i in indices if min(images.lr_size(i)) >= lr_patch])
        small += [images.name(i) for i in indices if min(images.lr_size(i)) < lr_patch]
    if small:
        named = ", ".join(small[:_SHOWN]) + (", ..." if len(small) > _SHOWN else "")
        told = f"{len(small)} training images are smaller than a patch of {lr_patch}x{lr_patch} LR pixels ({named})"
        if small_images == "refuse" or not any(kept):
            raise ValueError(
                f"{told}; lower data.lr_patch or data.shrink, or leave them out with data.small_images=skip"
            )
        log.warning("%s; they are left out", told)
    return kept


def chained(parts: Sequence[MapPart], sources: Sequence[str]) -> Pairs:
    """Put the chosen images of several sources one after the other; their names are then different.

    Args:
        parts: the images of each source.
        sources: the path of each, which goes before its images' names where two images have one name.
    """
    pairs = Chain([Selection(images, chosen) for images, chosen in parts])
    names = [images.name(i) for images, chosen in parts for i in chosen]
    if len({name.casefold() for name in names}) == len(names):
        return pairs
    labelled = zip(sources, parts, strict=True)
    return Renamed(pairs, [f"{source}/{images.name(i)}" for source, (images, chosen) in labelled for i in chosen])
