"""The training stream: aligned LR and HR patches from anywhere in the images, turned and mirrored, endlessly."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from sr.data.pairs import ImagePair
from sr.data.patch_sampling import DetailMaps
from sr.functional.resize import as_ratio

Batch = tuple[Tensor, Tensor]

SAMPLINGS = ("area", "uniform", "detail")
AHEAD = 64
"""Batches whose places are drawn at once; how many does not change them."""


class Places(NamedTuple):
    """Where patches are cut and how they are turned; every field (num_batches, batch_size)."""

    image: np.ndarray  # which pair
    top: np.ndarray  # LR pixels
    left: np.ndarray  # LR pixels
    turn: np.ndarray  # 0..7: 1 reverses the rows, 2 the columns, 4 then swaps rows and columns


class Images(Protocol):
    """Images somewhere else than in the host's memory, which cut the patches of several batches themselves."""

    def cut(self, places: Places) -> Iterable[Batch]:
        """Cut the patches of each batch."""


class PatchStream(Iterator[Batch]):
    """An endless stream of training batches in which batch i depends on the seed and on i alone.

    So a resumed training needs only its iteration number, and continues with the very batches that it would have seen.
    Random numbers come from a counter-based generator (Philox) with the seed as key and i in the counter.

    Patches are copied straight from the decoded images. Of the eight ways to turn a patch, the row order costs nothing,
    and the others are copied channel by channel, which keeps numpy on its fast paths. Measured on one core with 100
    images of 1.4 megapixels, batch 16, LR patch 48, x2: 0.1 ms a batch for cutting, 0.2 ms with turning; kornia takes
    3.7 ms for turning such a batch. A thread that works ahead did not help where the net keeps all cores busy.

    Args:
        pairs: images to cut from, each at least a patch in size.
        scale: HR size / LR size, 1.5 or whole.
        batch_size: patches a batch.
        lr_patch: LR pixels per side of a patch; even at x1.5.
        seed: key of the random numbers, 0 or more.
        start: number of the first batch.
        stride: distance to the next batch's number; with several training processes, how many there are.
        sampling: "uniform": every image is equally likely; "area": every possible patch is; "detail": of two uniform
            ones the one with more detail is taken (`DetailMaps` of the LR images).
        augment: whether patches are turned (the eight symmetries of the square, equally likely).
        images: who cuts the patches, the same bytes; None: this stream, from `pairs`.

    Raises:
        ValueError: a patch that does not fit an image or the scale's grid, or an unknown sampling.
    """

    def __init__(
        self,
        *,
        pairs: Sequence[ImagePair],
        scale: int | float,
        batch_size: int,
        lr_patch: int,
        seed: int,
        start: int,
        stride: int,
        sampling: str,
        augment: bool,
        images: Images | None = None,
    ) -> None:
        self.ratio = as_ratio(scale)
        if lr_patch < 1 or lr_patch % self.ratio.denominator:
            raise ValueError(
                f"lr_patch must be a positive multiple of {self.ratio.denominator} at x{scale}, got {lr_patch}"
            )
        if sampling not in SAMPLINGS:
            raise ValueError(f"sampling is one of {', '.join(SAMPLINGS)}, got {sampling!r}")
        self.pairs, self.batch_size, self.lr_patch = pairs, batch_size, lr_patch
        self.seed, self.sampling, self.augment = seed, sampling, augment
        self.position, self.stride = start, stride
        self.elsewhere = images
        self.wait_s = 0.0
        """Time spent in `next()` so far, in seconds."""
        self._ahead: Iterator[Batch] | None = None

    def __getstate__(self) -> dict[str, object]:
        """What another process needs to go on from here: no views on the images, no half-used batches."""
        kept = {name: value for name, value in vars(self).items() if name not in ("_images", "_room", "_detail")}
        return kept | {"_ahead": None, "elsewhere": None}

    def __iter__(self) -> "PatchStream":
        """Itself: the stream goes on where it stands."""
        return self

    def __next__(self) -> Batch:
        """The next batch: lr (N, 3, p, p) and hr (N, 3, s*p, s*p), uint8, in channels-last memory."""
        started = time.perf_counter()
        if self._ahead is None:
            self._ahead = self._from(self.position)
        batch = next(self._ahead)
        self.position += self.stride
        self.wait_s += time.perf_counter() - started
        return batch

    def _from(self, position: int) -> Iterator[Batch]:
        while True:
            numbers = range(position, position + AHEAD * self.stride, self.stride)
            yield from (self.elsewhere or self).cut(self.places(numbers))
            position = numbers.stop

    def cut(self, places: Places) -> Iterator[Batch]:
        """Cut the patches of each batch, one batch at a time."""
        for image, top, left, turn in zip(*places, strict=True):
            yield self._cut(image.tolist(), top.tolist(), left.tolist(), turn.tolist())

    def places(self, numbers: Sequence[int]) -> Places:
        """Draw where the patches of some batches lie.

        Args:
            numbers: which batches; each one's places depend on the seed and its own number only.
        """
        candidates = 2 if self.sampling == "detail" else 1
        draws = 4 * self.batch_size * candidates
        # The counter's upper words hold the batch's number, so that its draws cannot run into the next one's.
        raw = np.array([np.random.Philox(key=self.seed, counter=i << 64).random_raw(draws) for i in numbers])
        unit = ((raw >> 11) * 2.0**-53).reshape(len(numbers), candidates * self.batch_size, 4)
        image = np.searchsorted(self._cumulative, unit[..., 0], side="right")
        rows, columns = self._room[image, 0], self._room[image, 1]
        grid = self.ratio.denominator
        drawn = Places(
            image,
            (unit[..., 1] * rows).astype(np.int64) * grid,
            (unit[..., 2] * columns).astype(np.int64) * grid,
            (unit[..., 3] * 8).astype(np.int64) if self.augment else np.zeros_like(image),
        )
        return self._most_detailed(drawn) if candidates == 2 else drawn

    def _most_detailed(self, drawn: Places) -> Places:
        """Of every two places that lie half a batch apart, the one with more detail."""
        detail = self._detail.of(drawn.image, drawn.top, drawn.left, self.lr_patch)
        halves = [each.reshape(len(each), 2, self.batch_size) for each in (detail, *drawn)]
        second = halves[0][:, 1] > halves[0][:, 0]
        return Places(*(np.where(second, half[:, 1], half[:, 0]) for half in halves[1:]))

    @cached_property
    def _detail(self) -> DetailMaps:
        return DetailMaps([lr for lr, _ in self._images])

    @cached_property
    def _images(self) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(pair.lr, pair.hr) for pair in self.pairs]

    @cached_property
    def _room(self) -> np.ndarray:
        """How many places a patch has in each image: (num_images, 2), down and across."""
        sizes = np.array([lr.shape[:2] for lr, _ in self._images])
        room = (sizes - self.lr_patch) // self.ratio.denominator + 1
        if (room < 1).any():
            bad = [self.pairs[i].name for i in np.flatnonzero(room.min(axis=1) < 1).tolist()]
            raise ValueError(f"smaller than a patch of {self.lr_patch} LR pixels: {', '.join(bad[:8])}; lower lr_patch")
        return room

    @cached_property
    def _cumulative(self) -> np.ndarray:
        weights = self._room.prod(axis=1) if self.sampling == "area" else np.ones(len(self._room))
        return (np.cumsum(weights) / weights.sum())[:-1]  # a draw below 1 never passes the last image

    def _cut(self, image: list[int], top: list[int], left: list[int], turn: list[int]) -> Batch:
        p, q, side = self.ratio.numerator, self.ratio.denominator, self.lr_patch
        hr_side = side * p // q
        lr_out = np.empty((len(image), side, side, 3), np.uint8)
        hr_out = np.empty((len(image), hr_side, hr_side, 3), np.uint8)
        for n, (i, y, x, t) in enumerate(zip(image, top, left, turn, strict=True)):
            lr, hr = self._images[i]
            _turned(lr[y : y + side, x : x + side], t, lr_out[n])
            y, x = y * p // q, x * p // q
            _turned(hr[y : y + hr_side, x : x + hr_side], t, hr_out[n])
        return torch.from_numpy(lr_out).permute(0, 3, 1, 2), torch.from_numpy(hr_out).permute(0, 3, 1, 2)


class Chunks(Iterable[list[Batch]]):
    """Batches handed over several at a time, for a task that takes several steps a call; endless.

    Args:
        resume: called at the start of each iteration over the chunks; gives the stream as it is to go on, and how many
            batches are left to the end, at which one chunk is cut short (None: there is no end).
        size: batches a chunk.

    Raises:
        ValueError: a size below 1.
    """

    def __init__(self, resume: Callable[[], tuple[PatchStream, int | None]], size: int) -> None:
        if size < 1:
            raise ValueError(f"a chunk holds at least 1 batch, got {size}")
        self.resume, self.size = resume, size
        self.wait_s = 0.0
        """Time spent in making chunks so far, in seconds."""

    def __iter__(self) -> Iterator[list[Batch]]:
        """Lists of batches from where the training stands."""
        # A Trainer looks one chunk ahead and may begin anew: nothing is lost, since the place is asked for each time.
        stream, left = self.resume()
        while True:
            started = time.perf_counter()
            length = min(self.size, left) if left else self.size
            chunk = list(islice(stream, length))
            self.wait_s += time.perf_counter() - started
            yield chunk
            left = left - length if left else None


def _turned(patch: np.ndarray, turn: int, out: np.ndarray) -> None:
    """Write a patch (p, p, 3) turned: `turn & 1` reverses its rows, `& 2` its columns, `& 4` then swaps the two."""
    if turn & 1:
        patch = patch[::-1]
    if not turn & 6:
        out[...] = patch
        return
    near = np.ascontiguousarray(patch)  # once through far-apart rows, then from near memory
    if turn & 4:
        if turn & 2:  # reversed columns become reversed rows
            out = out[::-1]
        near = near.transpose(1, 0, 2)
    else:
        near = near[:, ::-1]
    for c in range(3):
        out[..., c] = near[..., c]
