"""LR images as a renderer makes them: one sample for each pixel, without anti-aliasing."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from sr.data.pairs import ImagePair

KERNELS = ("cubic", "nearest")
_TAPS = np.array([-1, 0, 1, 2])


@dataclass(frozen=True, kw_only=True)
class PointSampling:
    """Sample the HR image at one point for each LR pixel, so that fine detail aliases as in games.

    Args:
        kernel: "cubic": at the centre of the LR pixel, between HR pixels by Keys' kernel that is not widened.
            "nearest": the HR pixel at the centre, or above and left of it, which is half an HR pixel off at x2 and x4.

    Raises:
        ValueError: If the kernel is unknown.
    """

    kernel: str
    from_hr = True

    def __post_init__(self) -> None:
        if self.kernel not in KERNELS:
            raise ValueError(
                f"data.degradation.steps.render.kernel is one of {', '.join(KERNELS)}, got {self.kernel!r}"
            )

    def check(self) -> None:
        """Need nothing."""

    def apply(self, pair: ImagePair, scale: Fraction, draw: np.random.Generator) -> np.ndarray:
        """See `Step.apply`."""
        return point_sampled(pair.hr, pair.lr.shape[:2], self.kernel)


def point_sampled(hr: np.ndarray, size: tuple[int, ...], kernel: str) -> np.ndarray:
    """Sample an image at the centres of the pixels of a smaller one.

    Args:
        hr: (H, W, 3) uint8.
        size: Height and width of the result.
        kernel: One of `KERNELS`.

    Returns:
        (h, w, 3) uint8.

    Example:
        >>> point_sampled(np.arange(9, dtype=np.uint8).reshape(3, 3, 1).repeat(3, 2), (1, 1), "cubic")[0, 0]
        array([4, 4, 4], dtype=uint8)
    """
    if kernel == "nearest":
        rows, columns = (((2 * np.arange(n) + 1) * m - 1) // (2 * n) for n, m in zip(size, hr.shape[:2], strict=True))
        return np.ascontiguousarray(hr[rows[:, None], columns])
    image = hr.astype(np.float32)
    for axis, n in enumerate(size):
        image = _sampled_rows(image.swapaxes(0, axis), n).swapaxes(0, axis)
    return np.floor(image + 0.5).clip(0, 255).astype(np.uint8)


def _sampled_rows(image: np.ndarray, count: int) -> np.ndarray:
    """Sample along the first axis by Keys' cubic kernel (parameter -1/2) at its own width."""
    place = (np.arange(count) + 0.5) * len(image) / count - 0.5
    index = np.floor(place).astype(int)[:, None] + _TAPS
    x = abs(place[:, None] - index)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weight = np.where(x <= 1, near, np.where(x < 2, far, 0)).astype(np.float32)
    return np.einsum("nt,ntwc->nwc", weight, image[index.clip(0, len(image) - 1)])
