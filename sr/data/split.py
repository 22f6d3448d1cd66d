"""Split source images into training and held-out images, and filter small ones."""

import logging
from collections.abc import Sequence

from sr.config.checks import count
from sr.data.pairs import Chain, Pairs, Renamed, Selection
from sr.data.pixel_map import PixelMap

log = logging.getLogger(__name__)

MapPart = tuple[PixelMap, Sequence[int]]
"""A pixel map and the indices of some of its images."""
_SHOWN = 8  # names listed in a message


def check_split_settings(heldout_sources: Sequence[object], heldout_every: int | None, small_images: str) -> None:
    """Raise ValueError if the settings do not say which images are held out, or what to do with small ones."""
    if heldout_every is not None:
        count("data.heldout_every", heldout_every, least=2)
    if bool(heldout_sources) == (heldout_every is not None):
        raise ValueError("give either data.heldout_sources or data.heldout_every, and leave the other empty or null")
    if small_images not in ("refuse", "skip"):
        raise ValueError(f"data.small_images must be refuse or skip, got {small_images!r}")


def every_nth(lengths: Sequence[int], every: int) -> list[tuple[list[int], list[int]]]:
    """Hold out every n-th image of the concatenation of several sets.

    Args:
        lengths: Number of images in each set.
        every: n, at least 2. With fewer images than n, the last one is held out.

    Returns:
        For each set, the indices of its training images and of its held-out images.

    Raises:
        ValueError: If there are fewer than two images.

    Example:
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
    """Return the indices of the images that are at least as large as a patch.

    Args:
        maps: Decoded images of each source.
        chosen: Indices of the training images of each source.
        lr_patch: Side of a patch in LR pixels.
        small_images: "refuse" raises an error for smaller images, "skip" logs a warning.

    Raises:
        ValueError: If smaller images are refused, or no image is left.
    """
    kept, small = [], []
    for images, indices in zip(maps, chosen, strict=True):
        kept.append([i for i in indices if min(images.lr_size(i)) >= lr_patch])
        small += [images.name(i) for i in indices if min(images.lr_size(i)) < lr_patch]
    if small:
        named = ", ".join(small[:_SHOWN]) + (", ..." if len(small) > _SHOWN else "")
        problem = f"{len(small)} training images are smaller than a patch of {lr_patch}x{lr_patch} LR pixels ({named})"
        if small_images == "refuse" or not any(kept):
            raise ValueError(f"{problem}; lower data.lr_patch or data.shrink, or skip them with data.small_images=skip")
        log.warning("%s; they are skipped", problem)
    return kept


def chained(parts: Sequence[MapPart], sources: Sequence[str]) -> Pairs:
    """Concatenate the images of several sources under unique names.

    Args:
        parts: The images of each source.
        sources: The path of each source, which is put before the names of its images if two names are equal.
    """
    pairs = Chain([Selection(images, chosen) for images, chosen in parts])
    names = [images.name(i) for images, chosen in parts for i in chosen]
    if len({name.casefold() for name in names}) == len(names):
        return pairs
    labelled = zip(sources, parts, strict=True)
    return Renamed(pairs, [f"{source}/{images.name(i)}" for source, (images, chosen) in labelled for i in chosen])
