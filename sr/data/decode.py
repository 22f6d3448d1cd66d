"""Source files to image pairs: shrink, crop, downscale; a few threads at a time, every bad file named."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from sr.data.image import has_one_channel, image_size, read_image
from sr.data.pairs import ImagePair
from sr.functional.resize import crop_to_multiple, imresize

NUM_THREADS = min(2, os.cpu_count() or 1)  # each may hold half a gigabyte for a 24-megapixel photograph
_SHOWN = 8  # problems named in one message
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class SourceImage(NamedTuple):
    """One image to decode: its name, its HR file, and its LR file where that is not to be made."""

    name: str
    path: Path
    lr_path: Path | None


def decode(image: SourceImage, *, scale: Fraction, shrink: Fraction, max_megapixels: float | None = None) -> ImagePair:
    """Read one image and make its pair.

    Args:
        image: the files.
        scale: HR size / LR size.
        shrink: the HR image is downscaled by this first.
        max_megapixels: as `read_image` takes it.

    Raises:
        ValueError: a file that cannot be read, or an LR image that is not 1/scale of its HR image.
    """
    if image.lr_path and shrink != 1:
        raise ValueError(f"{image.lr_path} was made for the whole HR image: a shrink of {shrink} needs `lr` of null")
    pixels = read_image(image.path, max_megapixels)
    try:
        hr, lr = resized(pixels, scale, shrink)
    except ValueError as error:
        raise ValueError(f"{image.path}: {error}") from error
    if image.lr_path:
        found = read_image(image.lr_path, max_megapixels)
        height, width = lr.shape[:2]
        # An LR image of an uncropped HR image may have one more row or column; the rest lies at the same place.
        if not all(0 <= have - want <= 1 for have, want in zip(found.shape, lr.shape, strict=True)):
            raise ValueError(
                f"{image.lr_path} has {found.shape[0]}x{found.shape[1]} pixels, but x{scale} of {image.path} needs "
                f"{height}x{width}; give the folder of that scale"
            )
        lr = found[:height, :width]
    return ImagePair(image.name, lr, hr, has_one_channel(image.path))


def resized(image: np.ndarray, scale: Fraction, shrink: Fraction) -> tuple[np.ndarray, np.ndarray]:
    """The HR and the LR version of an image (H, W, 3) uint8.

    Channel by channel: the same numbers, a third of the memory, and faster.
    """
    channels = [np.ascontiguousarray(image[..., c]) for c in range(image.shape[2])]
    if shrink != 1:
        channels = [imresize(channel, 1 / shrink) for channel in channels]
    channels = [crop_to_multiple(channel, scale) for channel in channels]
    return np.stack(channels, axis=2), np.stack([imresize(channel, 1 / scale) for channel in channels], axis=2)


def decode_all(
    images: Sequence[SourceImage], *, scale: Fraction, shrink: Fraction, max_megapixels: float | None = None
) -> Iterator[ImagePair]:
    """Decode images in their order with a few threads; at most a few pairs wait in memory.

    Raises:
        ValueError: after the last image, naming every file that could not be used.
    """
    made = partial(decode, scale=scale, shrink=shrink, max_megapixels=max_megapixels)
    yield from usable(in_order(made, images), len(images))


def num_bytes(
    images: Sequence[SourceImage], *, scale: Fraction, shrink: Fraction, max_megapixels: float | None = None
) -> int:
    """Bytes that the pairs will take, from the files' headers.

    Raises:
        ValueError: naming every file whose header shows that it cannot be used.
    """
    size = partial(image_size, max_megapixels=max_megapixels)
    sizes = usable(in_order(size, [image.path for image in images]), len(images))
    return round(3 * sum(height * width for height, width in sizes) / shrink**2 * (1 + 1 / scale**2))


def in_order(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result | ValueError]:
    """Yield results in the order of the items, a ValueError in the place of its result; `NUM_THREADS` work ahead."""

    def attempt(item: _Item) -> _Result | ValueError:
        try:
            return function(item)
        except ValueError as error:
            return error

    with ThreadPoolExecutor(NUM_THREADS) as pool:
        ahead: deque[Future[_Result | ValueError]] = deque()
        for item in items:
            ahead.append(pool.submit(attempt, item))
            if len(ahead) > NUM_THREADS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def usable(results: Iterable[_Result | ValueError], num_images: int) -> Iterator[_Result]:
    """Yield the results up to the first error.

    Args:
        results: of `in_order`.
        num_images: how many results there will be.

    Raises:
        ValueError: after the last result, naming every file that could not be used.
    """
    problems: list[str] = []
    for result in results:
        if isinstance(result, ValueError):
            problems.append(str(result))
        elif not problems:  # after a failure only the other failures matter
            yield result
    if problems:
        more = f"\n  and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        count = f"{len(problems)} of {num_images} images cannot be used:\n  " if num_images > 1 else ""
        raise ValueError(count + "\n  ".join(problems[:_SHOWN]) + more)
