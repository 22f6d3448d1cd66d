"""Read image files as uint8 RGB; raise ValueError for images without defined RGB values."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

_FORMATS = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg", ".jfif", ".jpe", ".mpo"),
    "BMP": (".bmp",),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "AVIF": (".avif",),
    "JPEG2000": (".jp2", ".j2k", ".jpf", ".jpx"),
}
"""Supported formats; their decoders start no other program."""
_UNSIGNED = {"TGA": (".tga",)}  # has no signature, so the file ending decides
ENDINGS = tuple(ending for endings in (_FORMATS | _UNSIGNED).values() for ending in endings)
READER = 1
"""Version of the pixels that `read_image` returns; a new version decodes all images again."""
LIMIT = "SR_MAX_MEGAPIXELS"
MAX_MEGAPIXELS = 179.0
"""Default of `LIMIT`: Pillow's own limit."""

# The limit above replaces Pillow's, because users can raise it.
Image.MAX_IMAGE_PIXELS = None

_DIRECT = ("RGB", "L", "1", "YCbCr")
WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
_ONE_CHANNEL = ("1", "L", "LA", "La", *SIXTEEN_BIT)
_REFUSED = {
    "CMYK": "printing inks (CMYK) have no defined RGB values; convert it with a colour-managed program",
    "LAB": "CIE Lab is not supported; convert it to RGB",
    "HSV": "HSV is not supported; convert it to RGB",
    "I": "32-bit samples have no defined white; convert it to 8 or 16 bits",
    "F": "floating point samples have no defined white; convert it to 8 or 16 bits",
}
_TRANSPOSED = (5, 6, 7, 8)  # EXIF orientations that swap height and width
_KINDS = {stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
_ROWS = 256  # rows per strip


class _RefusedError(ValueError):
    """An image file cannot be used; the message names it."""


def check_regular(path: Path) -> os.stat_result:
    """Return the stat result of a regular file; opening a named pipe would block forever.

    Args:
        path: The file.

    Raises:
        ValueError: If it does not exist, is not a regular file or not accessible.
    """
    try:
        state = path.stat()
    except FileNotFoundError as error:
        what = f"{path} is a link to nothing; remove the link" if path.is_symlink() else f"no file {path}"
        raise _RefusedError(what) from error
    except (OSError, ValueError) as error:  # a loop of links, a too long name, a null byte
        raise _RefusedError(f"{path} cannot be opened ({getattr(error, 'strerror', None) or error})") from error
    if stat.S_ISDIR(state.st_mode):
        raise _RefusedError(f"{path} is a folder; give one image")
    if not stat.S_ISREG(state.st_mode):
        kind = _KINDS.get(stat.S_IFMT(state.st_mode), "a special file")
        raise _RefusedError(f"{path} is {kind} and no regular file; move it out of the folder")
    return state


def image_size(path: Path, max_megapixels: float | None = None) -> tuple[int, int]:
    """Return height and width of the image of `read_image`, from the file header only.

    Args:
        path: A file with one image.
        max_megapixels: As in `read_image`.

    Raises:
        ValueError: As `read_image`, for errors that the header shows.
    """
    with opened(path, max_megapixels) as image:
        refuse_undefined_rgb(path, image)
        width, height = image.size
        turned = image.getexif().get(0x0112) in _TRANSPOSED
    return (width, height) if turned else (height, width)


def has_one_channel(path: Path) -> bool:
    """Return whether an image file has grey values only, without decoding it."""
    with opened(path) as image:
        return image.mode in _ONE_CHANNEL


def color_profile(path: Path, max_megapixels: float | None = None) -> tuple[bytes | None, str]:
    """Return the ICC profile of an image file and its colour space.

    Args:
        path: A file with one image.
        max_megapixels: As in `read_image`.

    Returns:
        The profile if it is for RGB, else None; and "RGB", "GRAY", ..., or "" without a profile.

    Raises:
        ValueError: As `read_image`, for errors that the header shows.
    """
    with opened(path, max_megapixels) as image:
        profile = image.info.get("icc_profile") or b""
    space = profile[16:20].decode("ascii", "replace").strip()
    return (profile if space == "RGB" else None), space


def read_image(path: Path, max_megapixels: float | None = None) -> np.ndarray:
    """Read an image as RGB.

    EXIF rotation is applied, grey is repeated, palettes are resolved, and an opaque alpha channel is dropped. 16-bit
    grey is scaled by 255/65535 and rounded; of 16-bit colours, Pillow keeps the high byte. Colour profiles are not
    applied: RGB is treated as sRGB.

    Args:
        path: A file with one image.
        max_megapixels: Largest image to read; None: `SR_MAX_MEGAPIXELS`, or 179.

    Returns:
        (H, W, 3) uint8, contiguous.

    Raises:
        ValueError: If the file is not a regular file, not an image, too large or truncated, or has several frames,
            transparent pixels or a mode without defined RGB values.
    """
    with opened(path, max_megapixels) as image:
        refuse_undefined_rgb(path, image)
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return _to_rgb(path, image)


@contextmanager
def opened(path: Path, max_megapixels: float | None = None) -> Iterator[Image.Image]:
    """Open an image file; the only place of this package that does.

    Only regular files in the formats of `ENDINGS` are opened, up to a number of pixels. Any error of Pillow inside the
    context becomes a ValueError that names the file.

    Args:
        path: A file with one image.
        max_megapixels: As in `read_image`.

    Raises:
        ValueError: If the file cannot be opened or decoded.
    """
    check_regular(path)
    formats = [*_FORMATS, *(kind for kind, endings in _UNSIGNED.items() if path.suffix.lower() in endings)]
    try:
        with Image.open(path, formats=formats) as image:
            _check_pixels(path, image, max_megapixels)
            yield image
    except _RefusedError:
        raise
    except UnidentifiedImageError as error:
        advice = "convert it to PNG, or leave it out"
        raise _RefusedError(f"{path} is not an image that can be read here; {advice}") from error
    except PermissionError as error:
        raise _RefusedError(f"{path} may not be read ({error.strerror}); change its permissions") from error
    except MemoryError as error:
        raise _RefusedError(f"{path} does not fit into memory; cut it into tiles") from error
    except Exception as error:  # for a damaged file, Pillow's decoders raise any type of error
        raise _RefusedError(_explained(path, error)) from error


def _explained(path: Path, error: Exception) -> str:
    if "MAX_TEXT" in str(error):
        return f"{path} holds more text beside its pixels than is read ({error}); save it again without its metadata"
    return f"{path} is truncated or damaged ({error or type(error).__name__}); copy or download it again"


def _check_pixels(path: Path, image: Image.Image, max_megapixels: float | None) -> None:
    limit = _limit() if max_megapixels is None else max_megapixels
    width, height = image.size
    if width * height > limit * 1e6:
        raise _RefusedError(
            f"{path} has {width}x{height} = {width * height / 1e6:.0f} megapixels, and the limit is {limit:g}; "
            f"raise the limit with {LIMIT}={-(-width * height // 1_000_000)}, or cut the image into tiles"
        )


def _limit() -> float:
    text = os.environ.get(LIMIT, "")
    try:
        limit = float(text or MAX_MEGAPIXELS)
    except ValueError:
        limit = -1.0
    if not limit > 0:
        raise _RefusedError(f"{LIMIT} is a number of megapixels above 0, got {text!r}")
    return limit


def refuse_undefined_rgb(path: Path, image: Image.Image) -> None:
    """Refuse an open image without defined RGB values: several frames, a mode of other colours.

    Raises:
        ValueError: the message names the file.
    """
    # The MPO file of a camera has the image first and previews after it.
    num_frames = getattr(image, "n_frames", 1)
    if num_frames > 1 and image.format != "MPO":
        raise _RefusedError(f"{path} holds {num_frames} frames; split it into single images")
    if image.mode in _REFUSED:
        raise _RefusedError(f"{path}: {_REFUSED[image.mode]}")
    if image.mode not in (*_DIRECT, *WITH_ALPHA, *SIXTEEN_BIT, "P"):
        raise _RefusedError(f"{path} has Pillow mode {image.mode!r}, which is not supported; convert it to 8-bit RGB")
    # Pillow compares the 16-bit transparent colour with 8-bit pixels.
    if image.mode == "RGB" and "transparency" in image.info and "16" in str(getattr(image, "tile", "")):
        raise _RefusedError(f"{path} has 16-bit colours of which one is transparent; flatten it onto a background")


def _to_rgb(path: Path, image: Image.Image) -> np.ndarray:
    if image.mode in SIXTEEN_BIT:
        values = np.asarray(image)
        if "transparency" in image.info and (values == image.info["transparency"]).any():
            raise _transparent(path)
        grey = (values.astype(np.uint32) + 128) // 257  # 65535 = 255 * 257; exact rounding to nearest
        return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    if image.mode in WITH_ALPHA or "transparency" in image.info:
        image = image.convert("RGBA")
        if np.asarray(image.getchannel("A")).min() < 255:
            raise _transparent(path)
    return _pixels(image)


def _transparent(path: Path) -> _RefusedError:
    return _RefusedError(f"{path} has transparent pixels and no background; flatten it onto a background")


def _pixels(image: Image.Image) -> np.ndarray:
    """Copy the RGB values strip by strip, which saves the memory of two whole copies."""
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _ROWS):
        strip = image.crop((0, top, width, min(top + _ROWS, height)))
        pixels[top : top + _ROWS] = np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))
    return pixels
