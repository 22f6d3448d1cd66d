"""Image files in, RGB bytes out; what cannot become RGB without guessing is refused by name."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".ppm")
READER = 1
"""Raised whenever `read_image` gives other pixels for a file than before: decoded images are then made anew."""

_DIRECT = ("RGB", "L", "1", "YCbCr")
_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
_REFUSED = {
    "CMYK": "printing inks (CMYK) have no defined RGB values; convert it with a colour-managed program",
    "LAB": "CIE Lab is not supported; convert it to RGB",
    "HSV": "HSV is not supported; convert it to RGB",
    "I": "32-bit samples have no defined white; convert it to 8 or 16 bits",
    "F": "floating point samples have no defined white; convert it to 8 or 16 bits",
}
_TRANSPOSED = (5, 6, 7, 8)  # EXIF orientations that swap height and width


def find_images(folder: Path) -> list[Path]:
    """All image files below a folder, hidden ones left out, in an order that does not depend on the file system.

    Raises:
        ValueError: there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise ValueError(f"no folder {folder}; give one that holds images ({', '.join(ENDINGS)})")
    found: list[Path] = []
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        # Linked folders are followed (image sets often lie on another disk), each once, so that a loop ends.
        folders[:] = [] if real in seen else [name for name in folders if not name.startswith(".")]
        found += [
            Path(place, name)
            for name in files
            if real not in seen and name.lower().endswith(ENDINGS) and not name.startswith(".")
        ]
        seen.add(real)
    if not found:
        raise ValueError(f"{folder} holds no image ({', '.join(ENDINGS)}), at any depth")
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def image_size(path: Path) -> tuple[int, int]:
    """Height and width that `read_image` will give, from the file's header alone.

    Raises:
        ValueError: as `read_image`, as far as the header tells.
    """
    with _opened(path) as image:
        _refuse_unreadable(path, image)
        width, height = image.size
        turned = image.getexif().get(0x0112) in _TRANSPOSED
    return (width, height) if turned else (height, width)


def has_one_channel(path: Path) -> bool:
    """Whether an image file holds grey values only; nothing is decoded."""
    with _opened(path) as image:
        return image.mode in ("1", "L", "LA", "I;16", "I", "F")


def color_profile(path: Path) -> bytes | None:
    """The ICC profile of an image file if it is one of RGB values; None if there is none.

    Raises:
        ValueError: as `read_image`, as far as the header tells.
    """
    with _opened(path) as image:
        profile = image.info.get("icc_profile") or b""
    return profile if profile[16:20] == b"RGB " else None


def read_image(path: Path) -> np.ndarray:
    """Read an image as it should be seen: EXIF rotation applied, grey repeated, palette looked up, opaque alpha gone.

    16-bit grey is scaled by 255/65535 and rounded; of 16-bit colour Pillow keeps the high byte, one step less at most.
    Colour profiles are not applied: RGB is taken as sRGB.

    Args:
        path: a file with one image.

    Returns:
        (H, W, 3) uint8, contiguous.

    Raises:
        ValueError: not an image, truncated, several frames, transparent pixels, or a mode that has no defined RGB; the
            message names the file.
    """
    with _opened(path) as image:
        _refuse_unreadable(path, image)
        image.load()
        upright = ImageOps.exif_transpose(image)
        return np.ascontiguousarray(_to_rgb(path, upright))


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as image:
            yield image
    except UnidentifiedImageError as error:
        raise ValueError(f"{path} is not an image that Pillow can read; remove it or convert it to PNG") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"{path} is too large ({error}); cut it into tiles") from error
    except FileNotFoundError as error:
        raise ValueError(f"no file {path}") from error
    except IsADirectoryError as error:
        raise ValueError(f"{path} is a folder; give one image") from error
    except PermissionError as error:
        raise ValueError(f"{path} may not be read ({error.strerror}); change its permissions") from error
    except (OSError, SyntaxError, struct.error, EOFError) as error:  # what Pillow's decoders raise on damaged files
        raise ValueError(f"{path} is truncated or damaged ({error}); copy or download it again") from error


def _refuse_unreadable(path: Path, image: Image.Image) -> None:
    # A camera's MPO holds the picture first and previews after it.
    num_frames = getattr(image, "n_frames", 1)
    if num_frames > 1 and image.format != "MPO":
        raise ValueError(f"{path} holds {num_frames} frames; split it into single images")
    if image.mode in _REFUSED:
        raise ValueError(f"{path}: {_REFUSED[image.mode]}")
    if image.mode not in (*_DIRECT, *_WITH_ALPHA, *_SIXTEEN_BIT, "P"):
        raise ValueError(f"{path} has Pillow mode {image.mode!r}, which is not supported; convert it to 8-bit RGB")


def _to_rgb(path: Path, image: Image.Image) -> np.ndarray:
    if image.mode in _SIXTEEN_BIT:
        grey = (np.asarray(image).astype(np.uint32) + 128) // 257  # 65535 = 255 * 257; exact rounding to nearest
        return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA"))
        if rgba[..., 3].min() < 255:
            raise ValueError(
                f"{path} has transparent pixels, and what is behind is not known; flatten it onto a background"
            )
        return rgba[..., :3]
    return np.asarray(image.convert("RGB"))
