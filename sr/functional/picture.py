"""Compose uint8 pictures (H, W, 3) for display, and save them as PNG."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sr.runs.files import write_atomically

GAP = 4
BAND, FONT_SIZE = 22, 14
"""Height in pixels of the band that holds the titles of a strip, and of their letters."""


def enlarge(lr: np.ndarray, height: int, width: int) -> np.ndarray:
    """Enlarge a picture by nearest neighbour, to show an LR image beside its HR image.

    Args:
        lr: (h, w, 3).
        height: Rows of the result.
        width: Columns of the result.

    Returns:
        (height, width, 3).

    Example:
        >>> enlarge(np.zeros((2, 4, 3), np.uint8), 3, 6).shape
        (3, 6, 3)
    """
    rows = np.arange(height) * lr.shape[0] // height
    columns = np.arange(width) * lr.shape[1] // width
    return lr[rows[:, None], columns[None, :]]


def side_by_side(*images: np.ndarray) -> np.ndarray:
    """Join pictures from left to right with a white gap of 4 pixels.

    Args:
        *images: (H, W_i, 3) uint8, all of the same height.

    Returns:
        (H, sum of W_i + 4 (num_images - 1), 3) uint8.

    Example:
        >>> side_by_side(np.zeros((2, 5, 3), np.uint8), np.zeros((2, 6, 3), np.uint8)).shape
        (2, 15, 3)
    """
    gap = np.full((images[0].shape[0], GAP, 3), 255, np.uint8)
    parts = [part for image in images for part in (gap, image)][1:]
    return np.concatenate(parts, axis=1)


def titled_strip(pictures: Mapping[str, np.ndarray]) -> np.ndarray:
    """Join pictures from left to right below a white band with their titles.

    Args:
        pictures: Title -> (H, W_i, 3) uint8, all of the same height. A title wider than its picture is cut off.

    Returns:
        (H + 22, sum of W_i + 4 (num_images - 1), 3) uint8.

    Example:
        >>> titled_strip({"LR": np.zeros((9, 30, 3), np.uint8), "HR": np.zeros((9, 30, 3), np.uint8)}).shape
        (31, 64, 3)
    """
    font = ImageFont.load_default(FONT_SIZE)
    bands = []
    for title, picture in pictures.items():
        band = Image.new("RGB", (picture.shape[1], BAND), "white")
        ImageDraw.Draw(band).text((2, BAND // 2), title, fill="black", font=font, anchor="lm")
        bands.append(np.asarray(band))
    return np.concatenate([side_by_side(*bands), side_by_side(*pictures.values())])


def save_png(image: np.ndarray, path: Path) -> None:
    """Save a picture (H, W, 3) uint8 as PNG, atomically."""
    write_atomically(path, lambda temporary: Image.fromarray(image).save(temporary, format="PNG"))


def centre(image: np.ndarray, side: int) -> np.ndarray:
    """Crop the centre of a picture.

    Args:
        image: (H, W, 3).
        side: Largest height and width of the crop in pixels.

    Returns:
        (min(H, side), min(W, side), 3).

    Example:
        >>> centre(np.zeros((10, 4, 3), np.uint8), 6).shape
        (6, 4, 3)
    """
    height, width = (min(side, length) for length in image.shape[:2])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]
