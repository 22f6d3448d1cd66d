"""Training images in GPU memory, where patches of many batches are cropped and augmented at once."""

import logging
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from sr.data.pairs import ImagePair
from sr.data.patches import Batch, PatchStream, Places

log = logging.getLogger(__name__)

SHARE = 0.5
"""Maximum share of the free GPU memory for the images; training needs the rest."""

AT_ONCE = 1 << 24
"""Maximum HR pixels per gather; their 8-byte index and each of its terms take 128 MiB."""


class ResidentImages:
    """Store images on a device as flat uint8 pixels, so that a batch is one gather without a copy from the host.

    The patches are equal to those of `PatchStream` on the host.

    Args:
        pairs: The images.
        ratio: HR size / LR size.
        lr_patch: Side of a patch in LR pixels.
        device: Device to store them on.
    """

    def __init__(self, pairs: Sequence[ImagePair], ratio: Fraction, lr_patch: int, device: torch.device) -> None:
        self.ratio, self.lr_patch, self.device = ratio, lr_patch, device
        self._lr = _Pixels([pair.lr for pair in pairs], device)
        self._hr = _Pixels([pair.hr for pair in pairs], device)

    def cut(self, places: Places) -> Iterator[Batch]:
        """Yield the patches of each batch: lr (N, 3, p, p) and hr (N, 3, s*p, s*p), uint8, channels-last."""
        pixels = places.image.shape[1] * int(self.lr_patch * self.ratio) ** 2
        size = max(1, AT_ONCE // pixels)
        for first in range(0, len(places.image), size):
            yield from self._cut(Places(*(each[first : first + size] for each in places)))

    def _cut(self, places: Places) -> list[Batch]:
        image, top, left, turn = (torch.from_numpy(each).to(self.device, non_blocking=True) for each in places)
        p, q = self.ratio.numerator, self.ratio.denominator
        lr = self._lr.patches(image, top, left, turn, self.lr_patch)
        hr = self._hr.patches(image, top * p // q, left * p // q, turn, self.lr_patch * p // q)
        return list(zip(lr.unbind(), hr.unbind(), strict=True))


class _Pixels:
    """Pixels of all LR or all HR images, concatenated; an HR image of several degraded copies is stored once."""

    def __init__(self, images: Sequence[np.ndarray], device: torch.device) -> None:
        places = [each.__array_interface__["data"][0] for each in images]
        numbers = {place: n for n, place in enumerate(dict.fromkeys(places))}
        which = np.array([numbers[place] for place in places])
        images = list(dict(zip(places, images, strict=True)).values())
        sizes = np.array([image.shape[:2] for image in images])
        ends = sizes.prod(axis=1).cumsum()
        self.pixels = torch.empty(int(ends[-1]), 3, dtype=torch.uint8, device=device)
        for image, end in zip(images, ends.tolist(), strict=True):
            flat = torch.from_numpy(np.array(image)).reshape(-1, 3)  # a copy, because the pixel map is read-only
            self.pixels[end - len(flat) : end] = flat.to(device)
        self.start = torch.from_numpy((ends - sizes.prod(axis=1))[which]).to(device)
        self.width = torch.from_numpy(sizes[which, 1]).to(device)

    def patches(self, image: Tensor, top: Tensor, left: Tensor, turn: Tensor, side: int) -> Tensor:
        """Gather (batches, N) patches as (batches, N, 3, side, side), augmented as in `PatchStream`."""
        i = torch.arange(side, device=self.pixels.device)
        turn = turn[..., None, None]
        swapped = (turn & 4).bool()
        row, column = (torch.where(swapped, a, b) for a, b in ((i[None, :], i[:, None]), (i[:, None], i[None, :])))
        row = torch.where((turn & 1).bool(), side - 1 - row, row) + top[..., None, None]
        column = torch.where((turn & 2).bool(), side - 1 - column, column) + left[..., None, None]
        index = self.start[image][..., None, None] + row * self.width[image][..., None, None] + column
        return self.pixels[index].movedim(-1, -3)


class GpuCache:
    """Keep the training images in GPU memory if they fit, else in host memory.

    Args:
        where: "auto", or "never" for host memory.

    Raises:
        ValueError: If `where` is unknown.
    """

    def __init__(self, where: str) -> None:
        if where not in ("auto", "never"):
            raise ValueError(f"machine.gpu_cache must be auto or never, got {where!r}")
        self.where = where
        self._known: dict[torch.device, ResidentImages | None] = {}

    def images(self, stream: PatchStream, device: torch.device) -> ResidentImages | None:
        """Copy the images of a stream to a GPU once; return None if the host has to crop the patches."""
        if device.type != "cuda" or self.where == "never":
            return None
        if device not in self._known:
            self._known[device] = _copied(stream.pairs, stream.ratio, stream.lr_patch, device)
        return self._known[device]


def _copied(pairs: Sequence[ImagePair], ratio: Fraction, lr_patch: int, device: torch.device) -> ResidentImages | None:
    stored = {image.__array_interface__["data"][0]: image.size for pair in pairs for image in (pair.lr, pair.hr)}
    wanted, free = sum(stored.values()), torch.cuda.mem_get_info(device)[0]
    if wanted > SHARE * free:
        log.warning(
            "the %.1f GB of training images do not fit into half of the %.1f GB that %s has free: the host crops the "
            "patches, which is slower (use fewer images or data.shrink)", wanted / 1e9, free / 1e9, device
        )  # fmt: skip
        return None
    return ResidentImages(pairs, ratio, lr_patch, device)
