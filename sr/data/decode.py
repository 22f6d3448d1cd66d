"""Decode image files to LR and HR pairs: shrink, crop, downscale."""

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
from sr.data.pixel_record import Recorded, recorded
from sr.functional.resize import crop_to_multiple, imresize
from sr.runs.cores import num_cores

NUM_CORES = num_cores()
MEMORY_BYTES = 2**30
"""Memory that all threads together may take."""
BYTES_PER_PIXEL = 21
"""Memory that decoding takes per pixel: half a gigabyte for 24 megapixels."""
_SHOWN = 8  # problems listed in a message
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class SourceImage(NamedTuple):
    """One image to decode: name, HR file, and LR file (None: made from HR)."""

    name: str
    path: Path
    lr_path: Path | None


def decode(image: SourceImage, *, scale: Fraction, shrink: Fraction, max_megapixels: float | None = None) -> ImagePair:
    """Read one image and create its pair.

    Args:
        image: The files.
        scale: HR size / LR size.
        shrink: Factor by which the HR image is downscaled first.
        max_megapixels: As in `read_image`.

    Raises:
        ValueError: If a file cannot be read, or the size of the LR image does not fit the HR image.
    """
    if image.lr_path and shrink != 1:
        raise ValueError(
            f"{image.lr_path} belongs to the HR image at full size; set `lr` to null or `shrink` to 1, got {shrink}"
        )
    pixels = read_image(image.path, max_megapixels)
    try:
        hr, lr = resized(pixels, scale, shrink)
    except ValueError as error:
        raise ValueError(f"{image.path}: {error}") from error
    if image.lr_path:
        found = read_image(image.lr_path, max_megapixels)
        height, width = lr.shape[:2]
        # The LR image of an uncropped HR image may have one more row or column at the end.
        if not all(0 <= have - want <= 1 for have, want in zip(found.shape, lr.shape, strict=True)):
            raise ValueError(
                f"{image.lr_path} has {found.shape[0]}x{found.shape[1]} pixels, but x{scale} of {image.path} needs "
                f"{height}x{width}; give the folder of that scale"
            )
        lr = found[:height, :width]
    return ImagePair(image.name, lr, hr, has_one_channel(image.path))


def resized(image: np.ndarray, scale: Fraction, shrink: Fraction) -> tuple[np.ndarray, np.ndarray]:
    """Return the HR and the LR version of an image (H, W, 3) uint8.

    One channel at a time needs a third of the memory and is faster, with the same result.
    """
    channels = [np.ascontiguousarray(image[..., c]) for c in range(image.shape[2])]
    if shrink != 1:
        channels = [imresize(channel, 1 / shrink) for channel in channels]
    channels = [crop_to_multiple(channel, scale) for channel in channels]
    return np.stack(channels, axis=2), np.stack([imresize(channel, 1 / scale) for channel in channels], axis=2)


def decode_all(
    images: Sequence[SourceImage],
    *,
    scale: Fraction,
    shrink: Fraction,
    max_megapixels: float | None = None,
    num_threads: int = NUM_CORES,
) -> Iterator[Recorded]:
    """Decode images in order with several threads; only a few pairs are in memory at a time.

    Raises:
        ValueError: After the last image, with all files that could not be used.
    """

    def made(image: SourceImage) -> Recorded:
        return recorded(decode(image, scale=scale, shrink=shrink, max_megapixels=max_megapixels))

    yield from usable(in_order(made, images, num_threads), len(images))


class Needs(NamedTuple):
    """What decoding a set needs: bytes on the disk, and threads that fit into `MEMORY_BYTES`."""

    num_bytes: int
    num_threads: int


def needs(
    images: Sequence[SourceImage], *, scale: Fraction, shrink: Fraction, max_megapixels: float | None = None
) -> Needs:
    """Return what decoding a set of images needs, from the headers of the files.

    Raises:
        ValueError: With all files whose header shows that they cannot be used.
    """
    size = partial(image_size, max_megapixels=max_megapixels)
    found = usable(in_order(size, [image.path for image in images]), len(images))
    pixels = [height * width for height, width in found]
    in_memory = max(1, MEMORY_BYTES // (BYTES_PER_PIXEL * max(pixels, default=1)))
    return Needs(round(3 * sum(pixels) / shrink**2 * (1 + 1 / scale**2)), min(NUM_CORES, in_memory))


def in_order(
    function: Callable[[_Item], _Result], items: Iterable[_Item], num_threads: int = NUM_CORES
) -> Iterator[_Result | ValueError]:
    """Yield results in the order of the items, computed by threads; a ValueError replaces its result."""

    def attempt(item: _Item) -> _Result | ValueError:
        try:
            return function(item)
        except ValueError as error:
            return error

    with ThreadPoolExecutor(num_threads) as pool:
        ahead: deque[Future[_Result | ValueError]] = deque()
        for item in items:
            ahead.append(pool.submit(attempt, item))
            if len(ahead) > num_threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def usable(results: Iterable[_Result | ValueError], num_images: int) -> Iterator[_Result]:
    """Yield the results up to the first error.

    Args:
        results: Results of `in_order`.
        num_images: Number of results, for the message.

    Raises:
        ValueError: After the last result, with all files that could not be used.
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
