"""LR images as a small camera takes them: slight blur, noise, JPEG."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from sr.data.degradation.jpeg import jpeg_coded
from sr.data.degradation.step import draw_whole, interval
from sr.data.pairs import ImagePair
from sr.functional.color import to_uint8

_KEY = "data.degradation.steps.camera"
_BLUR_SIDE = 9
"""Side of the blur kernel: three standard deviations of the widest blur allowed on each side."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Blur by a Gaussian, add shot and read noise, compress by JPEG; each strength is drawn from a range.

    The noise of a value x in [0, 1] has the standard deviation sqrt(read^2 + shot^2 x), in levels of 0 to 255.

    Args:
        blur: Standard deviation of the Gaussian in LR pixels, 0 to 1.5.
        read_noise: Noise of black in levels, 0 to 50.
        shot_noise: Noise that white has in addition, in levels, 0 to 50.
        quality: Quality of JPEG, 1 to 100.

    Raises:
        ValueError: If a range is invalid.
    """

    blur: Sequence[float]
    read_noise: Sequence[float]
    shot_noise: Sequence[float]
    quality: Sequence[float]
    from_hr = False

    def __post_init__(self) -> None:
        interval(f"{_KEY}.blur", self.blur, least=0, most=1.5)
        interval(f"{_KEY}.read_noise", self.read_noise, least=0, most=50)
        interval(f"{_KEY}.shot_noise", self.shot_noise, least=0, most=50)
        interval(f"{_KEY}.quality", self.quality, least=1, most=100)

    def check(self) -> None:
        """Need nothing: kornia and Pillow are always there."""

    def apply(self, pair: ImagePair, scale: Fraction, draw: np.random.Generator) -> np.ndarray:
        """See `Step.apply`."""
        sigma, read, shot = (
            draw.uniform(limits[0], limits[1]) for limits in (self.blur, self.read_noise, self.shot_noise)
        )
        image = torch.from_numpy(pair.lr.transpose(2, 0, 1).astype(np.float32))[None] / 255
        image = blurred(image, sigma).clamp(0, 1)
        deviation = (read**2 + shot**2 * image).sqrt() / 255
        noise = torch.from_numpy(draw.standard_normal(tuple(image.shape), np.float32))
        noisy = to_uint8(image + deviation * noise)[0].permute(1, 2, 0).numpy()
        return jpeg_coded(np.ascontiguousarray(noisy), draw_whole(draw, (self.quality[0], self.quality[1])))


def blurred(image: torch.Tensor, sigma: float) -> torch.Tensor:
    """Blur (1, 3, h, w) by a Gaussian of `sigma` pixels, by kornia; border pixels are repeated."""
    from kornia.filters import gaussian_blur2d

    if sigma < 0.1:  # narrower than a pixel: the kernel is one tap
        return image
    return gaussian_blur2d(image, _BLUR_SIDE, (sigma, sigma), border_type="replicate")
