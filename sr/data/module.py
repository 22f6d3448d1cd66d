"""LightningDataModule of images: training patches, held-out images, test sets, calibration crops."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import lightning
import numpy as np
from torch import Tensor

from sr.config.checks import count, names, number
from sr.data.cache import decoded
from sr.data.calibration_crops import calibration_crops
from sr.data.download import Archive, fetch_archive
from sr.data.gpu_cache import GpuCache
from sr.data.leaks import refuse_test_images, warn_of_leaks
from sr.data.pairs import Cropped, ImagePair, Selection
from sr.data.patches import Chunks, PatchStream
from sr.data.pixel_map import PixelMap
from sr.data.sources import Source, named_by_place, source_of
from sr.data.split import MapPart, chained, check_split_settings, every_nth, large_enough
from sr.data.statistics import mean_and_std
from sr.data.test_sets import find_set, refuse_unscorable
from sr.devices.collectives import num_processes, process_rank
from sr.functional.resize import as_ratio
from sr.runs.folders import expand_home


class ImageData(lightning.LightningDataModule):
    """Load training, held-out and test images as LR and HR pairs, downloaded and decoded once, at their first use.

    Args:
        root: Folder of relative source paths and of downloads.
        test_root: Folder of the test sets.
        cache: Folder of decoded images, shared by all runs.
        archives: `Archive` fields of zip files to download into `root`.
        sources: `Source` fields of the training images.
        heldout_sources: `Source` fields of the validation images; empty if `heldout_every` is given.
        heldout_every: Every n-th image of the sources is held out; None if `heldout_sources` is given.
        share: Share of the images to use from sources without their own `share`, evenly spaced; in (0, 1].
        shrink: Factor by which all images are downscaled first, in addition to that of a source.
        small_images: "refuse" or "skip" training images that are smaller than a patch.
        test: Names of test sets; if empty, results are reported on the held-out images.
        scale: 1.5, 2, 3 or 4.
        seed: Seed of the patches.
        batch_size: Patches per iteration.
        lr_patch: Side of a patch in LR pixels.
        sampling: "area", "uniform" or "detail", see `PatchStream`.
        augment: Whether patches are rotated and flipped.
        chunk: Batches per chunk.
        val_images: Held-out images for validation during training, evenly spaced; None for all.
        gpu_cache: "auto" or "never", see `GpuCache`.
        max_megapixels: Largest image to read; None: see `read_image`.
        val_crop: Maximum side of a validation image in HR pixels, cropped from the centre; None for whole images.
    """

    def __init__(
        self,
        *,
        root: str | None,
        test_root: str | None,
        cache: str,
        archives: Sequence[Mapping[str, Any]],
        sources: Sequence[Mapping[str, Any]],
        heldout_sources: Sequence[Mapping[str, Any]],
        heldout_every: int | None,
        share: float,
        shrink: int | float,
        small_images: str,
        test: Sequence[str],
        scale: int | float,
        seed: int,
        batch_size: int,
        lr_patch: int,
        sampling: str,
        augment: bool,
        chunk: int,
        val_images: int | None,
        val_crop: int | None,
        gpu_cache: str,
        max_megapixels: float | None,
    ) -> None:
        super().__init__()
        if root is None:
            raise ValueError("data.root is null; data=folder trains on your own images: give data.root=<their folder>")
        needed = {"data.batch_size": batch_size, "data.lr_patch": lr_patch, "train.chunk": chunk}
        optional = {"data.val_images": val_images, "data.val_crop": val_crop}
        for key, value in (needed | {key: value for key, value in optional.items() if value is not None}).items():
            count(key, value)
        check_split_settings(heldout_sources, heldout_every, small_images)
        self.root, self.test_root = expand_home("data.root", root), expand_home("data.test_root", test_root or root)
        self.cache = expand_home("data.cache", cache)
        self.shrink, self.archives = number("data.shrink", shrink, least=1), [Archive(**each) for each in archives]
        self.sources = [source_of({"share": share, **fields}) for fields in sources]
        self.heldout_sources = [source_of(fields) for fields in heldout_sources]
        self.heldout_every, self.small_images = heldout_every, small_images
        limit = None if max_megapixels is None else number("machine.max_megapixels", max_megapixels, above=0)
        self._decode = partial(decoded, scale=scale, cache=self.cache, max_megapixels=limit)
        self.test, self.scale, self.seed = [name.lower() for name in names("data.test", test)], scale, seed
        self.batch_size, self.lr_patch = batch_size, lr_patch
        self.sampling, self.augment, self.chunk = sampling, augment, chunk
        self.val_images, self.val_crop, self._gpu_cache = val_images, val_crop, GpuCache(gpu_cache)

    def prepare_data(self) -> None:
        """Decode the test sets, then download and decode the training images, in one process per machine."""
        _ = self._test_maps, self.train_pairs, self.val_pairs

    def check(self, *, check_size: Callable[[int, int], None], min_lr: int, learned: bool) -> None:
        """Raise ValueError early if an image cannot be scored or a test image would be used for training.

        A warning lists training images that equal or resemble held-out or test images.

        Args:
            check_size: Function that raises ValueError for an HR height and width that cannot be scored.
            min_lr: Minimum side of the net's input in pixels.
            learned: Whether the run trains or calibrates.
        """
        for name, pairs in self.test_sets.items():
            refuse_unscorable(f"test set {name}", pairs, check_size, min_lr)
        refuse_unscorable(f"validation with data.val_crop={self.val_crop}", self.val_dataloader(), check_size, min_lr)
        if learned:
            refuse_test_images(self._training, self._tests)
            warn_of_leaks(self._training, {"the held-out images": self._heldout} | self._tests)

    @cached_property
    def train_pairs(self) -> Sequence[ImagePair]:
        """The training images."""
        return chained(self._training, [source.path for source in self.sources])

    @cached_property
    def val_pairs(self) -> Sequence[ImagePair]:
        """The whole held-out images."""
        return chained(self._heldout, [source.path for source in self.heldout_sources or self.sources])

    @cached_property
    def test_sets(self) -> dict[str, Sequence[ImagePair]]:
        """The test sets by name, or the held-out images as "heldout" if no set is named.

        Raises:
            ValueError: If a set is missing or incomplete.
        """
        return {**self._test_maps} or {"heldout": self.val_pairs}

    def train_dataloader(self) -> Chunks:
        """Return chunks of batches from the current iteration of the trainer on; each process gets its rows of them."""
        return Chunks(self._resumed, self.chunk)

    def _resumed(self) -> tuple[PatchStream, int | None]:
        trainer = self.trainer
        if trainer is None:
            return self.stream(0), None
        step, end = trainer.global_step, trainer.max_steps
        stream = self.stream(step, (process_rank(), num_processes()))
        stream.cutter = self._gpu_cache.images(stream, trainer.strategy.root_device)
        return stream, end - step if end >= 0 else None

    def stream(self, start: int, rows: tuple[int, int] = (0, 1)) -> PatchStream:
        """Return the training batches from number `start` on.

        Args:
            start: Number of the first batch.
            rows: (r, n) for the patches r, r + n, r + 2n ... of each batch.
        """
        return PatchStream(
            pairs=self.train_pairs, scale=self.scale, batch_size=self.batch_size, lr_patch=self.lr_patch,
            seed=self.seed, start=start, rows=rows, sampling=self.sampling, augment=self.augment,
        )  # fmt: skip

    def val_dataloader(self) -> Sequence[ImagePair]:
        """Return the held-out images for validation during training, cropped to `val_crop`."""
        pairs, wanted = self.val_pairs, self.val_images
        if wanted is not None and wanted < len(pairs):
            pairs = Selection(pairs, np.linspace(0, len(pairs) - 1, wanted).round().astype(int).tolist())
        return pairs if self.val_crop is None else Cropped(pairs, self.scale, self.val_crop)

    def calibration(self, num_batches: int, batch_size: int, lr_patch: int | None = None) -> list[Tensor]:
        """Return LR crops of the training images to calibrate a quantizer, see `calibration_crops`.

        Args:
            num_batches: Number of batches.
            batch_size: Crops per batch.
            lr_patch: Side of a crop in LR pixels; None for that of training.

        Returns:
            `num_batches` tensors (batch_size, 3, lr_patch, lr_patch), float in [0, 1].

        Raises:
            ValueError: If no training image is large enough, or one is a test image.
        """
        refuse_test_images(self._training, self._tests)
        return calibration_crops(
            self.train_pairs, num_batches=num_batches, batch_size=batch_size, lr_patch=lr_patch or self.lr_patch,
            scale=self.scale, sampling=self.sampling, seed=self.seed,
        )  # fmt: skip

    def fingerprint(self) -> str:
        """Return a hash (16 hex digits) of the training images: files, scale, shrink, resize, selection."""
        used = [[images.recipe, chosen] for images, chosen in self._training]
        return hashlib.sha256(json.dumps(used).encode()).hexdigest()[:16]

    def describe(self) -> dict[str, Any]:
        """Return facts of the training images for the report: fingerprint, sources, number, LR mean and std."""
        return {
            "fingerprint": self.fingerprint(),
            "train_sources": [source.path for source in self.sources],
            "num_images": len(self.train_pairs),
            **mean_and_std(np.sum([images.lr_moments(chosen) for images, chosen in self._training], axis=0)),
        }

    @cached_property
    def _training(self) -> list[MapPart]:
        return list(zip(self._maps, self._train_indices, strict=True))

    @cached_property
    def _heldout(self) -> list[MapPart]:
        if self.heldout_sources:
            return [(images, range(len(images))) for images in map(self._decoded, self.heldout_sources)]
        return [(images, chosen) for images, (_, chosen) in zip(self._maps, self._split, strict=True)]

    @cached_property
    def _test_maps(self) -> dict[str, PixelMap]:
        found = {name: find_set(name, self.test_root, self.scale, self.root) for name in self.test}
        return {name: self._decode(named_by_place(each, each[0].parent), shrink=1) for name, each in found.items()}

    @property
    def _tests(self) -> dict[str, list[MapPart]]:
        return {name: [(images, range(len(images)))] for name, images in self._test_maps.items()}

    @cached_property
    def _maps(self) -> list[PixelMap]:
        if not self.sources:
            raise ValueError("data.sources is empty; name at least one folder of training images")
        return [self._decoded(source) for source in self.sources]

    def _decoded(self, source: Source) -> PixelMap:
        for archive in self.archives:
            fetch_archive(archive, self.root)
        return self._decode(source.images(self.root), shrink=as_ratio(source.shrink) * as_ratio(self.shrink))

    @cached_property
    def _split(self) -> list[tuple[list[int], list[int]]]:
        """Indices of the training and of the held-out images of each source."""
        lengths = [len(images) for images in self._maps]
        return every_nth(lengths, self.heldout_every) if self.heldout_every else [([*range(n)], []) for n in lengths]

    @cached_property
    def _train_indices(self) -> list[list[int]]:
        return large_enough(self._maps, [train for train, _ in self._split], self.lr_patch, self.small_images)
