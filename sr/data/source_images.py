"""The images of a run's sources: split into training and held-out images, with their degraded copies."""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sr.data.degradation.chain import Degradation, refuse_made_from_hr
from sr.data.degradation.degraded_map import Degraded, degraded_pairs
from sr.data.pairs import ImagePair
from sr.data.pixel_map import PixelMap
from sr.data.sources import Source
from sr.data.split import MapPart, chained, every_nth, large_enough
from sr.data.statistics import mean_and_std


class SourceImages:
    """Training and held-out images, decoded and degraded at their first use.

    Args:
        sources: Of the training images.
        heldout_sources: Of the held-out images; empty if `heldout_every` is given.
        heldout_every: Every n-th image of the sources is held out; None if `heldout_sources` is given.
        small_images: "refuse" or "skip" training images that are smaller than a patch.
        lr_patch: Side of a patch in LR pixels.
        scale: HR size / LR size.
        degradation: What is done to the LR images.
        cache: Folder of decoded images.
        decode: Function that downloads and decodes a source.

    Raises:
        ValueError: If the degradation makes the LR images of a source that brings its own.
    """

    def __init__(
        self,
        *,
        sources: Sequence[Source],
        heldout_sources: Sequence[Source],
        heldout_every: int | None,
        small_images: str,
        lr_patch: int,
        scale: int | float,
        degradation: Degradation,
        cache: Path,
        decode: Callable[[Source], PixelMap],
    ) -> None:
        self.sources, self.heldout_sources, self.heldout_every = sources, heldout_sources, heldout_every
        self.small_images, self.lr_patch, self.scale = small_images, lr_patch, scale
        self.degradation, self.cache, self._decode = degradation, cache, decode
        refuse_made_from_hr(degradation, [each.path for each in (*sources, *heldout_sources) if each.lr])

    @cached_property
    def training(self) -> list[MapPart]:
        """The clean training images of each source."""
        return list(zip(self._maps, self._train_indices, strict=True))

    @cached_property
    def heldout(self) -> list[MapPart]:
        """The clean held-out images of each source."""
        if self.heldout_sources:
            return [(images, range(len(images))) for images in map(self._decode, self.heldout_sources)]
        return [(images, chosen) for images, (_, chosen) in zip(self._maps, self._split, strict=True)]

    @cached_property
    def train_pairs(self) -> Sequence[ImagePair]:
        """The training images; each of their degraded copies, if they are degraded."""
        clean = chained(self.training, [source.path for source in self.sources])
        return self._degraded(clean, self.training, self.degradation.variants, self.degradation.variants)

    @cached_property
    def clean_heldout_pairs(self) -> Sequence[ImagePair]:
        """The whole held-out images."""
        return chained(self.heldout, [source.path for source in self.heldout_sources or self.sources])

    @cached_property
    def heldout_pairs(self) -> Sequence[ImagePair]:
        """The whole held-out images; the first degraded copy of each, if they are degraded."""
        num_made = 1 if self.heldout_sources else self.degradation.variants  # else they are in the training images' map
        return self._degraded(self.clean_heldout_pairs, self.heldout, 1, num_made)

    def _degraded(
        self, clean: Sequence[ImagePair], parts: Sequence[MapPart], num_used: int, num_made: int
    ) -> Sequence[ImagePair]:
        return degraded_pairs(
            clean, parts, self.degradation,
            scale=self.scale, cache=self.cache, num_used=num_used, num_made=num_made,
        )  # fmt: skip

    @cached_property
    def weights(self) -> list[float] | None:
        """How often each of `train_pairs` is drawn, by the weight of its source; None if all are equal."""
        copies = 1 if self.degradation.is_none else self.degradation.variants
        counted = zip(self.sources, self.training, strict=True)
        each = [source.weight for source, (_, chosen) in counted for _ in range(len(chosen) * copies)]
        return each if len({*each}) > 1 else None

    def fingerprint(self) -> str:
        """Return a hash (16 hex digits) of the training images: files, scale, shrink, resize, choice, degradation."""
        used: list[Any] = [[images.recipe, chosen] for images, chosen in self.training]
        if isinstance(self.train_pairs, Degraded):
            used.append(self.train_pairs.recipe)
        return hashlib.sha256(json.dumps(used).encode()).hexdigest()[:16]

    def describe(self) -> dict[str, Any]:
        """Return facts of the training images for the report: fingerprint, sources, number, LR mean and std."""
        if isinstance(self.train_pairs, Degraded):
            moments = self.train_pairs.lr_moments()
        else:
            moments = np.sum([images.lr_moments(chosen) for images, chosen in self.training], axis=0)
        return {
            "fingerprint": self.fingerprint(),
            "train_sources": [source.path for source in self.sources],
            "num_images": sum(len(chosen) for _, chosen in self.training),
            **mean_and_std(moments),
        }

    @cached_property
    def _maps(self) -> list[PixelMap]:
        if not self.sources:
            raise ValueError("data.sources is empty; name at least one folder of training images")
        return [self._decode(source) for source in self.sources]

    @cached_property
    def _split(self) -> list[tuple[list[int], list[int]]]:
        """Indices of the training and of the held-out images of each source."""
        lengths = [len(images) for images in self._maps]
        return every_nth(lengths, self.heldout_every) if self.heldout_every else [([*range(n)], []) for n in lengths]

    @cached_property
    def _train_indices(self) -> list[list[int]]:
        return large_enough(self._maps, [train for train, _ in self._split], self.lr_patch, self.small_images)
