"""What every step of a degradation offers, and the ranges that its settings are drawn from."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol, runtime_checkable

import numpy as np

from sr.config.checks import number
from sr.data.pairs import ImagePair

Interval = tuple[float, float]
"""Lower and upper end of a range, both included."""


class Step(Protocol):
    """One step of a degradation: a frozen dataclass whose fields decide the pixels."""

    from_hr: bool
    """Whether the step makes the LR image from the HR image, so that nothing can come before it."""

    def check(self) -> None:
        """Raise ValueError if this machine lacks something that the step needs."""

    def apply(self, pair: ImagePair, scale: Fraction, draw: np.random.Generator) -> np.ndarray:
        """Return the degraded LR image (h, w, 3) uint8, of the size of `pair.lr`.

        Args:
            pair: The HR image, and the LR image that earlier steps made.
            scale: HR size / LR size.
            draw: Source of all random numbers of this image.
        """


@runtime_checkable
class ClipStep(Protocol):
    """A step that degrades all frames of a clip together."""

    def apply_clip(self, pairs: Sequence[ImagePair], draw: np.random.Generator) -> list[np.ndarray]:
        """Return the degraded LR images of consecutive frames, as `Step.apply` does of one image.

        Args:
            pairs: The frames.
            draw: Source of all random numbers of this clip.
        """


def interval(key: str, values: Sequence[float], *, least: float, most: float) -> Interval:
    """Return a range of a setting.

    Args:
        key: Name of the setting, for the message.
        values: Lower and upper end.
        least: Smallest value allowed.
        most: Largest value allowed.

    Raises:
        ValueError: Not two ordered numbers within the bounds.

    Example:
        >>> interval("quality", [50, 90], least=1, most=100)
        (50, 90)
    """
    if isinstance(values, str) or not isinstance(values, Sequence) or len(values) != 2 or values[0] > values[1]:
        raise ValueError(f"{key} is a range [lowest, highest], got {values!r}")
    low, high = (number(key, value, least=least, most=most) for value in values)
    return low, high


def draw_whole(draw: np.random.Generator, limits: Interval) -> int:
    """Draw a whole number of a range, both ends included."""
    return int(draw.integers(round(limits[0]), round(limits[1]) + 1))
