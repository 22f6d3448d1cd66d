"""JPEG compression of an LR image."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from PIL import Image

from sr.data.degradation.step import draw_whole, interval
from sr.data.pairs import ImagePair


@dataclass(frozen=True, kw_only=True)
class Jpeg:
    """Compress by JPEG (libjpeg-turbo of Pillow) with 4:2:0 chroma, at a quality of a range.

    Args:
        quality: Lowest and highest quality, 1 to 100.

    Raises:
        ValueError: If the range is invalid.
    """

    quality: Sequence[float]
    from_hr = False

    def __post_init__(self) -> None:
        interval("data.degradation.steps.jpeg.quality", self.quality, least=1, most=100)

    def check(self) -> None:
        """Need nothing: Pillow is always there."""

    def apply(self, pair: ImagePair, scale: Fraction, draw: np.random.Generator) -> np.ndarray:
        """See `Step.apply`."""
        return jpeg_coded(pair.lr, draw_whole(draw, (self.quality[0], self.quality[1])))


def jpeg_coded(image: np.ndarray, quality: int) -> np.ndarray:
    """Return an image after JPEG compression with 4:2:0 chroma.

    Args:
        image: (h, w, 3) uint8.
        quality: 1 to 100.
    """
    with io.BytesIO() as file:
        Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling=2)
        return np.array(Image.open(file).convert("RGB"))
