"""What a Trainer, an evaluation and a calibration get from images: patches, held-out images, test sets."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import lightning
import numpy as np
from torch import Tensor

from sr.config.checks import count, names, number
from sr.data.cache import decoded
from sr.data.decode import SourceImage
from sr.data.download import Archive, fetch_archive
from sr.data.gpu_cache import GpuCache
from sr.data.image import has_one_channel
from sr.data.pairs import Chain, Cropped, ImagePair, Selection
from sr.data.patches import Chunks, PatchStream
from sr.data.pixel_map import PixelMap
from sr.data.sources import Source, source_of
from sr.data.split import every_nth, large_enough
from sr.data.statistics import described
from sr.data.test_sets import find_set, lookalikes, refuse_test_images
from sr.functional.resize import as_ratio

log = logging.getLogger(__name__)

_SAME_PICTURE = 0.99  # thumbnails of different photographs correlate at 0.95 at most, a crop of one at 0.999
_CALIBRATION = 1 << 64  # a key of its own, so that calibration crops are not those of the first iterations


class ImageData(lightning.LightningDataModule):
    """Images as pairs: training ones cut into patches, held-out ones whole, named test sets.

    Everything is found, downloaded and decoded when it is first asked for, and once only.

    Args:
        root: folder that relative source paths start from and downloads go to.
        test_root: folder of the test sets.
        cache: folder of decoded images, shared by all runs.
        archives: `Archive` fields of zip files to download below the root first.
        sources: `Source` fields of the training images.
        heldout_sources: `Source` fields of the images kept for validation; empty when `heldout_every` chooses them.
        heldout_every: every so many-th image of the sources is held out; None when `heldout_sources` names them.
        share: part of the images of sources without a `share` that is used, evenly chosen; in (0, 1].
        shrink: downscales the images of all sources by this factor first, on top of a source's own.
        small_images: what to do with training images smaller than a patch: "refuse" or "skip".
        test: names of test sets; none means that results are reported on the held-out images.
        scale: 1.5, 2, 3 or 4.
        seed: of the patches.
        batch_size: patches an iteration.
        lr_patch: LR pixels per side of a patch.
        sampling: "area", "uniform" or "detail", see `PatchStream`.
        augment: whether patches are turned and mirrored.
        chunk: batches handed over at a time.
        val_images: held-out images used for validation during training, evenly chosen; None for all.
        gpu_cache: "auto" or "never", see `GpuCache`.
        val_crop: largest side in HR pixels of a validation image, cut from its middle; None for whole images.
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
    ) -> None:
        super().__init__()
        if root is None:
            raise ValueError("data.root is null; data=folder trains on your own images, give data.root=<their folder>")
        for key, value in {"data.batch_size": batch_size, "data.lr_patch": lr_patch, "train.chunk": chunk}.items():
            count(key, value)
        for key, wanted in {"data.val_images": val_images, "data.val_crop": val_crop}.items():
            if wanted is not None:
                count(key, wanted)
        if heldout_every is not None:
            count("data.heldout_every", heldout_every, least=2)
        if bool(heldout_sources) == (heldout_every is not None):
            raise ValueError("give either data.heldout_sources or data.heldout_every (the other empty or null)")
        if small_images not in ("refuse", "skip"):
            raise ValueError(f"data.small_images is refuse or skip, got {small_images!r}")
        self.root, self.test_root, self.cache = (Path(path).expanduser() for path in (root, test_root or root, cache))
        self.archives = [Archive(**archive) for archive in archives]
        self.sources = [source_of({"share": share, **fields}) for fields in sources]
        self.heldout_sources = [source_of(fields) for fields in heldout_sources]
        self.heldout_every, self.small_images = heldout_every, small_images
        self.shrink = number("data.shrink", shrink, least=1)
        self.test, self.scale, self.seed = [name.lower() for name in names("data.test", test)], scale, seed
        self.batch_size, self.lr_patch = batch_size, lr_patch
        self.sampling, self.augment, self.chunk = sampling, augment, chunk
        self.val_images, self.val_crop, self.residence = val_images, val_crop, GpuCache(gpu_cache)

    def prepare_data(self) -> None:
        """Find the test sets, then download and decode what is missing, in one process a machine."""
        for name in self.test:
            find_set(name, self.test_root, self.scale)
        _ = self.train_pairs, self.val_pairs

    @cached_property
    def train_pairs(self) -> Sequence[ImagePair]:
        """The training images."""
        return Chain(
            [Selection(images, chosen) for images, chosen in zip(self._maps, self._train_indices, strict=True)]
        )

    @cached_property
    def val_pairs(self) -> Sequence[ImagePair]:
        """The held-out images, whole."""
        if self.heldout_sources:
            return Chain([self._decoded(source) for source in self.heldout_sources])
        return Chain([Selection(images, chosen) for images, (_, chosen) in zip(self._maps, self._split, strict=True)])

    @cached_property
    def test_sets(self) -> dict[str, Sequence[ImagePair]]:
        """The test sets by name, or the held-out images as "heldout" when no set is named.

        Raises:
            ValueError: a set that is missing or incomplete.
        """
        if not self.test:
            return {"heldout": self.val_pairs}
        found = {name: find_set(name, self.test_root, self.scale) for name in self.test}
        return {name: self._test_set(name, files) for name, files in found.items()}

    def raw_luma(self, name: str) -> set[str]:
        """Names of a test set's images whose files have one channel, which a luma-only protocol takes as they are."""
        files = find_set(name, self.test_root, self.scale) if name in self.test else []
        return {path.stem for path in files if has_one_channel(path)}

    def train_dataloader(self) -> Chunks:
        """Chunks of batches from the trainer's present iteration on; each process takes its own batches."""
        return Chunks(self._resumed, self.chunk)

    def _resumed(self) -> tuple[PatchStream, int | None]:
        trainer = self.trainer
        if trainer is None:
            return self.stream(0), None
        step, num_ranks, end = trainer.global_step, trainer.world_size, trainer.max_steps
        stream = self.stream(step * num_ranks + trainer.global_rank, num_ranks)
        stream.elsewhere = self.residence.images(stream, trainer.strategy.root_device)
        return stream, end - step if end >= 0 else None

    def stream(self, start: int, stride: int = 1) -> PatchStream:
        """The training batches from number `start` on."""
        sizes = {"batch_size": self.batch_size, "lr_patch": self.lr_patch}
        return self._patches(self.train_pairs, self.seed, start, stride, self.augment, **sizes)

    def _patches(
        self, pairs: Sequence[ImagePair], seed: int, start: int, stride: int, augment: bool, **sizes: int
    ) -> PatchStream:
        fixed: dict[str, Any] = {"scale": self.scale, "sampling": self.sampling, **sizes}
        return PatchStream(pairs=pairs, seed=seed, start=start, stride=stride, augment=augment, **fixed)

    def val_dataloader(self) -> Sequence[ImagePair]:
        """Held-out images for validation during training, one a step, cropped if so configured."""
        pairs, wanted = self.val_pairs, self.val_images
        if wanted is not None and wanted < len(pairs):
            pairs = Selection(pairs, np.linspace(0, len(pairs) - 1, wanted).round().astype(int).tolist())
        return pairs if self.val_crop is None else Cropped(pairs, self.scale, self.val_crop)

    def calibration(self, num_batches: int, batch_size: int, lr_patch: int | None = None) -> list[Tensor]:
        """LR crops of the training images for calibrating a quantizer: the same ones at every call, not turned.

        Args:
            num_batches: how many batches.
            batch_size: crops a batch.
            lr_patch: pixels per side; None for training's.

        Returns:
            `num_batches` tensors (batch_size, 3, lr_patch, lr_patch), float in [0, 1].

        Raises:
            ValueError: no training image is as large as that, or one is a test image.
        """
        refuse_test_images(self.train_pairs, self.test_sets if self.test else {})
        lr_patch = lr_patch or self.lr_patch
        fitting = [i for i, pair in enumerate(self.train_pairs) if min(pair.lr.shape[:2]) >= lr_patch]
        if not fitting:
            raise ValueError(
                f"no training image has {lr_patch}x{lr_patch} LR pixels for calibration; lower its lr_patch"
            )
        sizes = {"batch_size": batch_size, "lr_patch": lr_patch}
        stream = self._patches(Selection(self.train_pairs, fitting), self.seed | _CALIBRATION, 0, 1, False, **sizes)
        return [lr.contiguous().float() / 255 for lr, _ in islice(stream, num_batches)]

    def fingerprint(self) -> str:
        """Hash of everything that decides the training images: files, scale, shrink, resize, choice; 16 hex digits."""
        used = [[images.folder.name, chosen] for images, chosen in zip(self._maps, self._train_indices, strict=True)]
        return hashlib.sha256(json.dumps(used).encode()).hexdigest()[:16]

    def describe(self) -> dict[str, Any]:
        """What a report says of the training images: their fingerprint, sources, number, and LR mean and std."""
        return {
            "fingerprint": self.fingerprint(),
            "train_sources": [source.path for source in self.sources],
            **described(self.train_pairs),
        }

    @cached_property
    def _maps(self) -> list[PixelMap]:
        if not self.sources:
            raise ValueError("data.sources is empty; name at least one folder of training images")
        return [self._decoded(source) for source in self.sources]

    def _decoded(self, source: Source) -> PixelMap:
        for archive in self.archives:
            fetch_archive(archive, self.root)
        ratio = as_ratio(source.shrink) * as_ratio(self.shrink)
        return decoded(source.images(self.root), scale=self.scale, shrink=ratio, cache=self.cache)

    @cached_property
    def _split(self) -> list[tuple[list[int], list[int]]]:
        """Per source, indices of the training and of the held-out images."""
        lengths = [len(images) for images in self._maps]
        return every_nth(lengths, self.heldout_every) if self.heldout_every else [([*range(n)], []) for n in lengths]

    @cached_property
    def _train_indices(self) -> list[list[int]]:
        return large_enough(self._maps, [train for train, _ in self._split], self.lr_patch, self.small_images)

    def _test_set(self, name: str, files: Sequence[Path]) -> PixelMap:
        images = [SourceImage(path.stem, path, None) for path in files]
        pairs = decoded(images, scale=self.scale, shrink=1, cache=self.cache)
        for training in vars(self).get("_maps", []):  # only where this process trains
            for ours, theirs in lookalikes(training, pairs, _SAME_PICTURE):
                log.warning("training image %s looks like %s of test set %s and would flatter it", ours, theirs, name)
        return pairs
