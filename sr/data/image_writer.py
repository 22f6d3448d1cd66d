"""Write pictures row by row: PNG, JPEG and BMP in constant memory, others through Pillow; refuse what cannot be."""

import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from sr.data.jpeg_strips import write_jpeg

FORMATS = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF",
}  # fmt: skip
QUALITY: dict[str, dict[str, int]] = {"JPEG": {"quality": 95}, "WEBP": {"quality": 95}}
"""Of lossy files: Pillow's defaults, 75 and 80, cost more than a net gains. JPEG is written without halved colours."""
LARGEST = {"JPEG": 65500, "WEBP": 16383}
"""Pixels a side that the libraries of a format write at most."""
MOST_BYTES = {"BMP": 2**32, "TIFF": 2**32}
"""Of a file whose format counts its bytes with 32 bits."""
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
    if (size := 4 * height * width) > (room := MOST_BYTES.get(kind, size)):
        raise ValueError(
            f"{target} would have {width}x{height} pixels, and a file of {kind} ends at {room / 1e9:.1f} GB; give it "
            "the ending .png"
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
    path: Path,
    kind: str,
    size: tuple[int, int],
    strips: Iterable[np.ndarray],
    profile: bytes | None,
    quality: int | None = None,
) -> None:
    """Write a picture whose rows come in strips, from top to bottom.

    Args:
        path: the file.
        kind: of `check_target`.
        size: height and width.
        strips: (rows, W, C) uint8 each, C = 3 or 4 (the last is alpha); for PNG also uint16.
        profile: ICC profile to put into it, for formats other than `WITHOUT_PROFILE`.
        quality: of a lossy format, 1 to 100; None: `QUALITY`.
    """
    height, width = size
    how: dict[str, Any] = {"icc_profile": profile, **QUALITY.get(kind, {})}
    if quality is not None and kind in QUALITY:
        how["quality"] = quality
    if kind in ("PNG", "JPEG", "BMP"):
        with open(path, "wb") as file:
            if kind == "PNG":
                _write_png(file, height, width, strips, profile)
            elif kind == "JPEG":
                write_jpeg(file, height, strips, how["quality"], profile)
            else:
                _write_bmp(file, height, width, strips)
        return
    picture, top = None, 0
    for strip in strips:
        picture = picture or Image.new("RGBA" if strip.shape[2] == 4 else "RGB", (width, height))
        picture.paste(Image.fromarray(strip), (0, top))
        top += len(strip)
    assert picture is not None, "a picture has rows"
    picture.save(path, format=kind, **how)


def _write_bmp(file: BinaryIO, height: int, width: int, strips: Iterable[np.ndarray]) -> None:
    """Write rows of blue, green, red, padded to 4 bytes, from the bottom up."""
    row, top = -(-3 * width // 4) * 4, 0
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, row * height, 3780, 3780, 0, 0)
    file.write(b"BM" + struct.pack("<IHHI", 54 + row * height, 0, 0, 54) + head)
    for strip in strips:
        rows = np.zeros((len(strip), row), np.uint8)
        rows[:, : 3 * width] = strip[::-1, :, ::-1].reshape(len(strip), -1)
        top += len(strip)
        file.seek(54 + row * (height - top))
        file.write(rows.data)


def _write_png(file: BinaryIO, height: int, width: int, strips: Iterable[np.ndarray], profile: bytes | None) -> None:
    packer, above = zlib.compressobj(6, strategy=zlib.Z_FILTERED), np.zeros((0, 0, 0), np.uint8)
    for number, strip in enumerate(strips):
        rows_of_bytes = _pixel_bytes(strip)
        if number == 0:
            _write_head(file, height, width, strip, profile)
            above = np.zeros_like(rows_of_bytes[:1])
        for top in range(0, len(strip), _ROWS):
            rows = np.concatenate((above, rows_of_bytes[top : top + _ROWS]))
            _chunk(file, b"IDAT", packer.compress(_filtered(rows).data))
            above = rows[-1:]
    _chunk(file, b"IDAT", packer.flush())
    _chunk(file, b"IEND", b"")


def _write_head(file: BinaryIO, height: int, width: int, strip: np.ndarray, profile: bytes | None) -> None:
    color_type = {3: 2, 4: 6}[strip.shape[2]]  # RGB, RGB and alpha
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8 * strip.itemsize, color_type, 0, 0, 0))
    if profile:
        _chunk(file, b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile))


def _pixel_bytes(strip: np.ndarray) -> np.ndarray:
    """Return the bytes of pixels as PNG orders them, most significant first: (rows, W, bytes of a pixel)."""
    ordered = np.ascontiguousarray(strip.astype(">u2") if strip.itemsize == 2 else strip)
    return ordered.view(np.uint8).reshape(*strip.shape[:2], -1)


def _filtered(rows: np.ndarray) -> np.ndarray:
    """Subtract Paeth's prediction from all rows but the first, which is the one above them (PNG, section 9.4)."""
    left = np.zeros_like(rows)
    left[:, 1:] = rows[:, :-1]
    a, b, c = left[1:].astype(np.int16), rows[:-1].astype(np.int16), left[:-1].astype(np.int16)
    to_a, to_b, to_c = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    predicted = np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))
    out = np.empty((len(rows) - 1, rows[0].size + 1), np.uint8)
    out[:, 0] = 4
    out[:, 1:] = (rows[1:] - predicted.astype(np.uint8)).reshape(len(out), -1)
    return out


def _chunk(file: BinaryIO, kind: bytes, content: bytes) -> None:
    file.write(struct.pack(">I", len(content)) + kind)
    file.write(content)
    file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))))
