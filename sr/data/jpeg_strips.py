"""Write a JPEG file strip by strip: each strip is compressed on its own, and restart markers join the parts."""

import io
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image

STRIP_ROWS = 256
"""Rows of a strip: a multiple of 64, so that eight restart markers end each strip and their numbers go on."""
_FRAME, _SCAN, _END = 0xC0, 0xDA, b"\xff\xd9"
_LAST_RESTART = b"\xff\xd7"


def write_jpeg(
    file: BinaryIO, height: int, strips: Iterable[np.ndarray], quality: int, profile: bytes | None = None
) -> None:
    """Write a JPEG file without halved colours; its pixels are those of one pass, in the memory of a strip.

    Args:
        file: Open for writing.
        height: Rows of all strips together.
        strips: (rows, W, 3) uint8 each.
        quality: 1 to 100, as of libjpeg.
        profile: ICC profile.
    """
    for number, strip in enumerate(regrouped(strips, STRIP_ROWS)):
        part = io.BytesIO()
        first = {"icc_profile": profile} if profile and not number else {}
        Image.fromarray(strip).save(
            part, format="JPEG", quality=quality, subsampling=0, restart_marker_rows=1, optimize=False, **first
        )
        content = part.getbuffer()
        start = _scan_start(content)
        if number:
            file.write(_LAST_RESTART)
        else:
            file.write(_with_height(bytes(content[:start]), height))
        file.write(content[start : -len(_END)])
    file.write(_END)


def regrouped(strips: Iterable[np.ndarray], num_rows: int) -> Iterator[np.ndarray]:
    """Yield the rows of strips in strips of `num_rows`; the last one may have fewer.

    Example:
        >>> [len(strip) for strip in regrouped([np.zeros((5, 1)), np.zeros((2, 1))], 3)]
        [3, 3, 1]
    """
    waiting: list[np.ndarray] = []
    for strip in strips:
        while len(strip):
            room = num_rows - sum(map(len, waiting))
            waiting.append(strip[:room])
            strip = strip[room:]
            if sum(map(len, waiting)) == num_rows:
                yield np.concatenate(waiting)
                waiting = []
    if waiting:
        yield np.concatenate(waiting)


def _segments(content: bytes | memoryview) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of each segment of the head (ITU-T T.81, annex B)."""
    place = 2
    while True:
        (length,) = struct.unpack(">H", content[place + 2 : place + 4])
        yield content[place + 1], place, place + 2 + length
        place += 2 + length


def _scan_start(content: memoryview) -> int:
    return next(end for marker, _, end in _segments(content) if marker == _SCAN)


def _with_height(head: bytes, height: int) -> bytes:
    start = next(start for marker, start, _ in _segments(head) if marker == _FRAME)
    return head[: start + 5] + struct.pack(">H", height) + head[start + 7 :]
