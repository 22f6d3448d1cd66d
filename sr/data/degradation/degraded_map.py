"""Degraded copies of decoded images, made once and kept in the cache beside them."""

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sr.data.cache import FORMAT, stored_map
from sr.data.decode import in_order, usable
from sr.data.degradation.chain import Degradation
from sr.data.pairs import ImagePair, Pairs
from sr.data.pixel_map import PixelMap
from sr.data.pixel_record import Recorded, recorded
from sr.data.split import MapPart
from sr.functional.resize import as_ratio

log = logging.getLogger(__name__)

_VERSION = 1
"""Of the layout: LR images only, all copies of an image one after the other."""


class Degraded(Pairs):
    """Pairs whose LR images are degraded copies; the HR images are those of the clean pairs.

    Pair i is copy i % n of clean image i // n. `clean_lr` of a pair is the LR image before the degradation.

    Args:
        clean: The clean pairs.
        copies: For each clean pair, the map of its degraded copies and the number of the image in it.
        variants: n, the copies of each image that are used.
        stride: Copies of each image in the maps.
    """

    def __init__(
        self, clean: Sequence[ImagePair], copies: Sequence[tuple[PixelMap, int]], variants: int, stride: int
    ) -> None:
        assert len(clean) == len(copies) and variants <= stride, (len(clean), len(copies), variants, stride)
        self.clean, self.copies, self.variants, self.stride = clean, tuple(copies), variants, stride

    def __len__(self) -> int:
        return len(self.clean) * self.variants

    def pair(self, index: int) -> ImagePair:
        """Return one degraded pair."""
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        image, variant = divmod(index % len(self), self.variants)
        pair, (images, i) = self.clean[image], self.copies[image]
        return pair._replace(lr=images.pair(i * self.stride + variant).lr, clean_lr=pair.lr)

    @property
    def recipe(self) -> list[list[str | int]]:
        """Hashes of the maps with the numbers of the copies: everything that determines the degraded pixels."""
        return [[images.recipe, i, self.variants] for images, i in self.copies]

    def lr_moments(self) -> np.ndarray:
        """Return the summed `moments` (3, 3) of the degraded LR images, without reading their pixels."""
        chosen = [(images, [i * self.stride + v for v in range(self.variants)]) for images, i in self.copies]
        return np.sum([images.lr_moments(indices) for images, indices in chosen], axis=0)


def degraded_pairs(
    clean: Sequence[ImagePair],
    parts: Sequence[MapPart],
    degradation: Degradation,
    *,
    scale: int | float,
    cache: Path,
    num_used: int,
    num_made: int,
    in_clips: bool = False,
) -> Sequence[ImagePair]:
    """Return degraded copies of pairs; the pairs themselves if nothing is degraded.

    Args:
        clean: The images of all parts, in order.
        parts: Decoded images of each source, and the chosen ones.
        degradation: The steps.
        scale: HR size / LR size.
        cache: Folder of decoded images.
        num_used: Copies of each image to use.
        num_made: Copies of each image to make.
        in_clips: Whether the images are frames, and those of a clip are degraded together; then one copy is made.
    """
    if degradation.is_none:
        return clean
    how: dict[str, Any] = {"scale": scale, "cache": cache, "variants": num_made, "in_clips": in_clips}
    maps = [degraded_map(images, degradation, **how) for images, _ in parts]
    copies = [(made, i) for made, (_, chosen) in zip(maps, parts, strict=True) for i in chosen]
    return Degraded(clean, copies, num_used, num_made)


def degraded_map(
    images: PixelMap,
    degradation: Degradation,
    *,
    scale: int | float,
    cache: Path,
    variants: int,
    in_clips: bool = False,
) -> PixelMap:
    """Open the degraded copies of decoded images, and make them first if they do not exist.

    Args:
        images: The decoded images.
        degradation: The steps, at least one.
        scale: HR size / LR size.
        cache: Folder of decoded images.
        variants: Copies of each image.
        in_clips: As in `degraded_pairs`.

    Raises:
        ValueError: If images cannot be degraded (the message lists them) or the cache cannot be written.
    """
    ratio = as_ratio(scale)
    recipe = [_VERSION, images.recipe, degradation.fingerprint(ratio), "clips" if in_clips else variants]
    name = hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:32]
    numbers = range(len(images) * variants)

    def made(number: int) -> Recorded:
        index, variant = divmod(number, variants)
        pair = images.pair(index)
        return _record(pair, degradation.degraded(pair, ratio, variant, images.hr_hash(index)))

    def made_clip(frames: Sequence[int]) -> list[Recorded]:
        pairs = [images.pair(index) for index in frames]
        lrs = degradation.degraded_clip(pairs, ratio, [images.hr_hash(index) for index in frames])
        return [_record(pair, lr) for pair, lr in zip(pairs, lrs, strict=True)]

    def rest(done: int) -> Iterator[Recorded]:
        log.info("degrading %d images, %d copies of each, by %s", len(images), variants, ", ".join(degradation.names))
        if not in_clips:
            yield from usable(in_order(made, numbers[done:]), len(numbers) - done)
            return
        clips = [clip for clip in clips_of(images) if clip[-1] >= done]
        for clip, records in zip(clips, usable(in_order(made_clip, clips), len(clips)), strict=True):
            yield from (record for index, record in zip(clip, records, strict=True) if index >= done)

    names = [images.name(number // variants) for number in numbers]
    num_bytes = sum(3 * height * width for height, width in map(images.lr_size, range(len(images)))) * variants
    return stored_map(cache / f"{name}-{FORMAT}", names, rest, num_bytes=num_bytes)


def clips_of(images: PixelMap) -> list[list[int]]:
    """Return the numbers of the frames of each clip, which is what is before the last `/` of their names."""
    clips: dict[str, list[int]] = {}
    for index in range(len(images)):
        clips.setdefault(images.name(index).rpartition("/")[0], []).append(index)
    return list(clips.values())


def _record(pair: ImagePair, lr: np.ndarray) -> Recorded:
    return recorded(ImagePair(pair.name, lr, pair.hr[:0], pair.one_channel))
