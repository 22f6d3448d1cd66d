"""Read an image with all that it holds: 8 or 16 bits, transparency, colour profile."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ImageOps

from sr.data.image import SIXTEEN_BIT, WITH_ALPHA, color_profile, opened, read_image, refuse_undefined_rgb


@dataclass(frozen=True, kw_only=True)
class FullImage:
    """An image as it should be seen, EXIF orientation applied.

    Args:
        pixels: (H, W, 3) uint8, or uint16 of a PNG file with 16 bits.
        alpha: (H, W) of the same type; None if nothing is transparent.
        profile: ICC profile for its RGB values, or None.
        lost_profile: colour space of a profile that does not fit RGB values, such as "GRAY"; else "".
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    profile: bytes | None
    lost_profile: str


def read_full_image(path: Path, max_megapixels: float | None = None, *, sixteen_bits: bool = True) -> FullImage:
    """Read an image file with its transparency, its colour profile and, for PNG, its 16 bits.

    Args:
        path: a file with one image.
        max_megapixels: as `read_image` takes it.
        sixteen_bits: False reduces 16 bits to 8 as `read_image` does.

    Raises:
        ValueError: as `read_image`, except for transparent pixels.
    """
    profile, space = color_profile(path, max_megapixels)
    pixels, alpha = _channels(path, max_megapixels, sixteen_bits)
    if alpha is not None and alpha.min() == np.iinfo(alpha.dtype).max:
        alpha = None
    return FullImage(pixels=pixels, alpha=alpha, profile=profile, lost_profile="" if profile else space)


def _channels(path: Path, max_megapixels: float | None, sixteen_bits: bool) -> tuple[np.ndarray, np.ndarray | None]:
    with opened(path, max_megapixels) as image:
        is_deep = image.format == "PNG" and (image.mode in SIXTEEN_BIT or "16" in str(getattr(image, "tile", "")))
        if is_deep and sixteen_bits:
            return _of_deep_png(path)
        refuse_undefined_rgb(path, image)
        if image.mode in WITH_ALPHA or ("transparency" in image.info and image.mode not in SIXTEEN_BIT):
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            rgba = np.asarray(image.convert("RGBA"))
            return np.ascontiguousarray(rgba[..., :3]), np.ascontiguousarray(rgba[..., 3])
    return read_image(path, max_megapixels), None


def _of_deep_png(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Decode with libpng: Pillow keeps the high byte of 16-bit colours."""
    from torchvision.io import ImageReadMode, decode_image, read_file

    mode = ImageReadMode.UNCHANGED
    planes = decode_image(read_file(str(path)), mode=mode, apply_exif_orientation=True).numpy()
    num_colors = len(planes) - (len(planes) % 2 == 0)  # grey, grey and alpha, RGB, RGB and alpha
    alpha = None if num_colors == len(planes) else np.ascontiguousarray(planes[-1])
    colors = np.broadcast_to(planes[:num_colors], (3, *planes.shape[1:]))
    return np.ascontiguousarray(colors.transpose(1, 2, 0)), alpha
