"""Record of one decoded image in a pixel map: sizes, places, and facts that later starts need without its pixels."""

import hashlib
import os
from typing import BinaryIO

import numpy as np
from PIL import Image

from sr.data.pairs import ImagePair
from sr.data.pixel_check import checksum
from sr.data.statistics import moments

RECORDS = "records.bin"
IMAGE_RECORD = np.dtype(
    [
        ("lr", "<u4", 2),  # height and width
        ("hr", "<u4", 2),
        ("lr_offset", "<u8"),
        ("hr_offset", "<u8"),
        ("lr_crc32", "<u4"),
        ("hr_crc32", "<u4"),
        ("one_channel", "?"),
        ("hr_sha256", "u1", 16),
        ("lr_moments", "<i8", (3, 3)),
        ("thumbnail", "u1", 256),
    ]
)
"""100 thousand images take 40 MB."""
Recorded = tuple[ImagePair, np.ndarray]
"""A pair, and its record without the places of its pixels."""


def recorded(pair: ImagePair) -> Recorded:
    """Return a pair with its record.

    Args:
        pair: The decoded images.
    """
    record = np.zeros((), IMAGE_RECORD)
    pixels = hashlib.sha256(repr(pair.hr.shape).encode())
    pixels.update(np.ascontiguousarray(pair.hr).data)
    record["hr_sha256"] = np.frombuffer(pixels.digest()[:16], np.uint8)
    record["lr_moments"] = moments(pair.lr)
    if pair.hr.size:  # a degraded copy has no HR image of its own
        thumbnail = Image.fromarray(pair.hr).convert("L").resize((16, 16), Image.Resampling.BOX)
        record["thumbnail"] = np.frombuffer(thumbnail.tobytes(), np.uint8)
    record["one_channel"] = pair.one_channel
    for kind, image in (("lr", pair.lr), ("hr", pair.hr)):
        record[kind], record[f"{kind}_crc32"] = image.shape[:2], checksum(image)
    return pair, record


def kept_records(pixels: BinaryIO, records: BinaryIO) -> int:
    """Cut an unfinished map back to its last whole image, and return the number of its images.

    Pixels are compared with their checksums: after a loss of power, a file can be shorter or emptier than it was.

    Args:
        pixels: File of the pixels, open for reading and appending.
        records: File of the records, likewise.
    """
    records.seek(0)
    found = np.frombuffer(records.read(), np.uint8)
    found = found[: len(found) // IMAGE_RECORD.itemsize * IMAGE_RECORD.itemsize].view(IMAGE_RECORD)
    pixels.seek(0)
    end, kept = 0, 0
    for record in found:
        sizes = [int(record[kind].prod(dtype=np.int64)) * 3 for kind in ("lr", "hr")]
        parts = [np.frombuffer(pixels.read(size), np.uint8) for size in sizes]
        wanted = (int(record["lr_crc32"]), int(record["hr_crc32"]))
        if [part.size for part in parts] != sizes or tuple(map(checksum, parts)) != wanted:
            break
        end, kept = end + sum(sizes), kept + 1
    pixels.truncate(end)
    records.truncate(kept * IMAGE_RECORD.itemsize)
    for file in (pixels, records):
        file.seek(0, os.SEEK_END)
    return kept
