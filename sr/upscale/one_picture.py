"""Upscale one picture file: read, refuse what cannot be written, upscale in tiles, write atomically."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from sr.data.full_image import FullImage, read_full_image
from sr.data.image_writer import WITHOUT_PROFILE, check_target, write_strips
from sr.functional.resize import as_ratio, imresize
from sr.runs.files import write_atomically
from sr.upscale.opened_net import OpenedNet

WITHOUT_ALPHA = ("JPEG", "BMP")


@dataclass(frozen=True, kw_only=True)
class PictureSettings:
    """How pictures are read and written.

    Args:
        quality: of JPEG and WebP files, 1 to 100; None: 95.
        max_megapixels: largest picture that is read; None: the limit of `read_image`.
    """

    quality: int | None
    max_megapixels: float | None


ShowPicture = Callable[[str, np.ndarray, np.ndarray], None]
"""Gets the name, and the LR pixels and the upscaled pixels of the centre of a picture."""
SHOWN_PX = 512
"""Largest side of that centre in LR pixels."""


def upscale_picture(
    net: OpenedNet, source: Path, target: Path, settings: PictureSettings, watch: ShowPicture | None = None
) -> tuple[int, int]:
    """Upscale a picture file; returns its new height and width.

    Args:
        net: the net.
        source: the picture.
        target: the file to write.
        settings: how to read and write.
        watch: function that is shown the picture, such as `SliderPage.add`.

    Raises:
        ValueError: not a picture, a format that cannot hold the result, or a target that is the source.
    """
    if target.exists() and source.exists() and target.samefile(source):
        raise ValueError(f"{target} is the picture itself; give the large one another name")
    image = read_for(net, source, target, settings)
    strips = shown(net.strips(image.pixels), source.name, image.pixels, net.scale, watch)
    write_picture(image, net, strips, target, settings)
    return upscaled_size(size_of(image), net.scale)


def shown(
    strips: Iterable[np.ndarray], name: str, lr: np.ndarray, scale: float, watch: ShowPicture | None
) -> Iterator[np.ndarray]:
    """Yield the strips of an upscaled picture, and show its centre, of which alone a copy is kept.

    Args:
        strips: (rows, W, 3) each.
        name: of the picture.
        lr: (h, w, 3), the picture before.
        scale: upscaling factor.
        watch: function that is shown the centre; None: nothing is shown.
    """
    ratio = as_ratio(scale)
    rows, columns = (_centre(size, ratio.denominator) for size in lr.shape[:2])
    first, last, left, right = (ceil(each * ratio) for each in (rows.start, rows.stop, columns.start, columns.stop))
    top, kept = 0, []
    for strip in strips:
        if watch:
            kept.append(strip[max(first - top, 0) : max(last - top, 0), left:right].copy())
        top += len(strip)
        yield strip
    if watch:
        watch(name, lr[rows, columns], np.concatenate(kept))


def _centre(size: int, grid: int) -> slice:
    start = max(0, (size - SHOWN_PX) // 2) // grid * grid
    return slice(start, min(size, start + SHOWN_PX))


def upscaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Return height and width of an upscaled picture.

    >>> upscaled_size((5, 7), 1.5)
    (8, 11)
    """
    height, width = (ceil(side * as_ratio(scale)) for side in size)
    return height, width


def size_of(image: FullImage) -> tuple[int, int]:
    """Return height and width of a picture."""
    return image.pixels.shape[0], image.pixels.shape[1]


def read_for(net: OpenedNet, source: Path, target: Path, settings: PictureSettings) -> FullImage:
    """Read a picture and refuse a target that cannot hold it upscaled.

    A line on stderr says what the target lacks: the colour profile, or 16 bits.

    Raises:
        ValueError: not a picture, or a target that cannot be written.
    """
    is_png = target.suffix.lower() == ".png"
    image = read_full_image(source, settings.max_megapixels, sixteen_bits=net.takes_16_bits and is_png)
    kind = check_target(target, *upscaled_size(size_of(image), net.scale))
    if image.alpha is not None and kind in WITHOUT_ALPHA:
        raise ValueError(f"{source} has transparent pixels, which {kind} cannot hold; give the target the ending .png")
    if image.lost_profile or (image.profile and kind in WITHOUT_PROFILE):
        why = f"{kind} holds none" if image.profile else f"it is one of {image.lost_profile} values, and this is RGB"
        print(f"{target}: without the colour profile of {source.name}: {why}", file=sys.stderr)
    return image


def write_picture(
    image: FullImage, net: OpenedNet, strips: Iterable[np.ndarray], target: Path, settings: PictureSettings
) -> None:
    """Write an upscaled picture, atomically; transparency is enlarged by bicubic.

    Args:
        image: the picture before.
        net: the net that upscales it.
        strips: its upscaled colours, from top to bottom.
        target: the file.
        settings: how to write it.
    """
    size = upscaled_size(size_of(image), net.scale)
    kind = check_target(target, *size)
    rows = strips if image.alpha is None else _with_alpha(strips, _enlarged_alpha(image.alpha, net.scale))
    profile = None if kind in WITHOUT_PROFILE else image.profile
    write_atomically(target, lambda path: write_strips(path, kind, size, rows, profile, settings.quality))


def _enlarged_alpha(alpha: np.ndarray, scale: float) -> np.ndarray:
    if alpha.dtype == np.uint8:
        return imresize(alpha, scale)
    return np.floor(imresize(alpha.astype(np.float64), scale) + 0.5).clip(0, 65535).astype(np.uint16)


def _with_alpha(strips: Iterable[np.ndarray], alpha: np.ndarray) -> Iterator[np.ndarray]:
    top = 0
    for strip in strips:
        yield np.dstack((strip, alpha[top : top + len(strip)]))
        top += len(strip)
