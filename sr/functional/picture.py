"""Pictures for the eye: uint8 arrays (H, W, 3) side by side, and PNG files."""

from pathlib import Path

import numpy as np
from PIL import Image

from sr.runs.files import write_atomically

GAP = 4


def enlarge(lr: np.ndarray, height: int, width: int) -> np.ndarray:
    """Nearest-neighbour enlargement of (h, w, 3) to (height, width, 3), for showing an LR image beside its HR image.

    >>> enlarge(np.zeros((2, 4, 3), np.uint8), 3, 6).shape
    (3, 6, 3)
    """
    rows = np.arange(height) * lr.shape[0] // height
    columns = np.arange(width) * lr.shape[1] // width
    return lr[rows[:, None], columns[None, :]]


def side_by_side(*images: np.ndarray) -> np.ndarray:
    """Join images (H, W_i, 3) of one height from left to right, with a white gap of 4 pixels."""
    gap = np.full((images[0].shape[0], GAP, 3), 255, np.uint8)
    parts = [part for image in images for part in (gap, image)][1:]
    return np.concatenate(parts, axis=1)


def save_png(image: np.ndarray, path: Path) -> None:
    """Write a picture (H, W, 3) as PNG, atomically."""
    write_atomically(path, lambda temporary: Image.fromarray(image).save(temporary, format="PNG"))


def centre(image: np.ndarray, side: int) -> np.ndarray:
    """The middle of a picture (H, W, 3), at most `side` pixels high and wide.

    >>> centre(np.zeros((10, 4, 3), np.uint8), 6).shape
    (6, 4, 3)
    """
    height, width = (min(side, length) for length in image.shape[:2])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]
