"""Write pictures row by row: PNG in constant memory, other formats through Pillow; refuse beforehand what cannot be."""

import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

FORMATS = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF",
}  # fmt: skip
QUALITY: dict[str, dict[str, int]] = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"quality": 95}}
"""Of lossy files: Pillow's defaults, 75 with halved colours and 80, cost more than a net gains."""
LARGEST = {"JPEG": 65500, "WEBP": 16383}
"""Pixels a side that the libraries of a format write at most."""
WITHOUT_PROFILE = ("BMP",)
_ROWS = 16  # that are filtered at once: they stay in the processor's cache


def check_target(target: Path, height: int, width: int) -> str:
    """Return the format of a picture that is to be written; refuse what could not be, before the work.

    Raises:
        ValueError: an ending of no format, too many pixels for it, a folder, or a place that may not be written.
    """
    if target.suffix.lower() not in FORMATS:
        raise ValueError(f"cannot write {target.name}: its ending has to be one of {', '.join(FORMATS)}")
    kind = FORMATS[target.suffix.lower()]
    if max(height, width) > (most := LARGEST.get(kind, max(height, width))):
        raise ValueError(
            f"{target} would have {width}x{height} pixels, and {kind} holds {most} a side; give it the ending .png"
        )
    if target.is_dir():
        raise ValueError(f"{target} is a folder; give the name of a picture")
    above = next(place for place in target.absolute().parents if place.exists())
    if not above.is_dir():
        raise ValueError(f"{above} is no folder, so {target} cannot lie below it; choose another place")
    if not os.access(above, os.W_OK):
        raise ValueError(f"{above} may not be written; choose another place for {target.name}")
    return kind


def write_strips(
    path: Path, kind: str, size: tuple[int, int], strips: Iterable[np.ndarray], profile: bytes | None
) -> None:
    """Write a picture whose rows come in strips, from top to bottom.

    Args:
        path: the file.
        kind: of `check_target`.
        size: height and width.
        strips: (rows, W, 3) uint8 each.
        profile: ICC profile to put into it, for formats other than `WITHOUT_PROFILE`.
    """
    height, width = size
    if kind == "PNG":
        with open(path, "wb") as file:
            _write_png(file, height, width, strips, profile)
        return
    picture, top = Image.new("RGB", (width, height)), 0
    for strip in strips:
        picture.paste(Image.fromarray(strip), (0, top))
        top += len(strip)
    how: dict[str, Any] = {"icc_profile": profile, **QUALITY.get(kind, {})}
    picture.save(path, format=kind, **how)


def _write_png(file: BinaryIO, height: int, width: int, strips: Iterable[np.ndarray], profile: bytes | None) -> None:
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    if profile:
        _chunk(file, b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile))
    packer = zlib.compressobj(6, strategy=zlib.Z_FILTERED)
    above = np.zeros((1, width, 3), np.uint8)
    for strip in strips:
        for top in range(0, len(strip), _ROWS):
            rows = np.concatenate((above, strip[top : top + _ROWS]))
            _chunk(file, b"IDAT", packer.compress(_filtered(rows).data))
            above = rows[-1:]
    _chunk(file, b"IDAT", packer.flush())
    _chunk(file, b"IEND", b"")


def _filtered(rows: np.ndarray) -> np.ndarray:
    """Subtract Paeth's prediction from all rows but the first, which is the one above them (PNG, section 9.4)."""
    left = np.zeros_like(rows)
    left[:, 1:] = rows[:, :-1]
    a, b, c = left[1:].astype(np.int16), rows[:-1].astype(np.int16), left[:-1].astype(np.int16)
    to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    predicted = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
    out = np.empty((len(rows) - 1, rows.shape[1] * 3 + 1), np.uint8)
    out[:, 0] = 4
    out[:, 1:] = (rows[1:] - predicted.astype(np.uint8)).reshape(len(out), -1)
    return out


def _chunk(file: BinaryIO, kind: bytes, content: bytes) -> None:
    file.write(struct.pack(">I", len(content)) + kind)
    file.write(content)
    file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))))
