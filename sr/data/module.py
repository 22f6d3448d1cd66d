"""LightningDataModule of images: training patches, held-out images, test sets, calibration crops."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import lightning
import numpy as np
from torch import Tensor

from sr.config.checks import count, names, number
from sr.data.cache import decoded
from sr.data.calibration_crops import calibration_crops
from sr.data.degradation.chain import Degradation
from sr.data.download import Archive, fetch_archive
from sr.data.gpu_cache import GpuCache
from sr.data.leaks import refuse_test_images, warn_of_leaks
from sr.data.named_sets import NamedSets
from sr.data.pairs import Cropped, ImagePair, Selection
from sr.data.patches import Chunks, PatchStream
from sr.data.pixel_map import PixelMap
from sr.data.source_images import SourceImages
from sr.data.sources import Source, source_of
from sr.data.split import MapPart, check_split_settings
from sr.data.test_sets import refuse_unscorable
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
        degradation: What is done to the LR images of training and validation; test sets name theirs, see `NamedSets`.
        test_frames: Frames of each clip to score, from the first on, of test sets that are clips.
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
        degradation: Degradation,
        test_frames: int,
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
        limit = None if max_megapixels is None else number("machine.max_megapixels", max_megapixels, above=0)
        self._decode = partial(decoded, scale=scale, cache=self.cache, max_megapixels=limit)
        self.scale, self.seed, self.degradation = scale, seed, degradation
        self._images = SourceImages(
            sources=self.sources, heldout_sources=[source_of(fields) for fields in heldout_sources],
            heldout_every=heldout_every, small_images=small_images, lr_patch=lr_patch, scale=scale,
            degradation=degradation, cache=self.cache, decode=self._decoded,
        )  # fmt: skip
        self._named = NamedSets(
            names("data.test", test), root=self.test_root, also=self.root, scale=scale, cache=self.cache,
            decode=self._decode, num_frames=count("data.test_frames", test_frames, least=2),
        )  # fmt: skip
        self.batch_size, self.lr_patch = batch_size, lr_patch
        self.sampling, self.augment, self.chunk = sampling, augment, chunk
        self.val_images, self.val_crop, self._gpu_cache = val_images, val_crop, GpuCache(gpu_cache)

    def prepare_data(self) -> None:
        """Decode the test sets, then download and decode the training images, in one process per machine."""
        _ = self._named.maps, self.train_pairs, self.val_pairs, self.test_sets

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
            refuse_test_images(self._images.training, self._tests)
            warn_of_leaks(self._images.training, {"the held-out images": self._images.heldout} | self._tests)

    @property
    def train_pairs(self) -> Sequence[ImagePair]:
        """The training images; each of their degraded copies, if they are degraded."""
        return self._images.train_pairs

    @property
    def val_pairs(self) -> Sequence[ImagePair]:
        """The whole held-out images; the first degraded copy of each, if they are degraded."""
        return self._images.heldout_pairs

    @cached_property
    def test_sets(self) -> dict[str, Sequence[ImagePair]]:
        """The test sets by name; if none is named, the held-out images as "heldout", and their degraded copies.

        Raises:
            ValueError: If a set is missing or incomplete.
        """
        if self._named.sets:
            return self._named.sets
        degraded = {} if self.degradation.is_none else {f"heldout_{self.degradation.label}": self.val_pairs}
        return {"heldout": self._images.clean_heldout_pairs, **degraded}

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
            weights=self._images.weights,
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
        refuse_test_images(self._images.training, self._tests)
        return calibration_crops(
            self.train_pairs, num_batches=num_batches, batch_size=batch_size, lr_patch=lr_patch or self.lr_patch,
            scale=self.scale, sampling=self.sampling, seed=self.seed, weights=self._images.weights,
        )  # fmt: skip

    def fingerprint(self) -> str:
        """Return a hash (16 hex digits) of the training images and what is done to them."""
        return self._images.fingerprint()

    def describe(self) -> dict[str, Any]:
        """Return facts of the training images for the report, see `SourceImages`."""
        return self._images.describe()

    @property
    def _tests(self) -> dict[str, list[MapPart]]:
        return {name: [(images, range(len(images)))] for name, images in self._named.maps.items()}

    def _decoded(self, source: Source) -> PixelMap:
        for archive in self.archives:
            fetch_archive(archive, self.root)
        return self._decode(
            source.images(self.root, self.cache), shrink=as_ratio(source.shrink) * as_ratio(self.shrink)
        )
