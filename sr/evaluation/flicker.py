"""Flicker: how much the error of an upscaled clip changes from frame to frame."""

import numpy as np

from sr.functional.color import image_luma


class Flicker:
    """Mean change of the luma error between neighbouring frames of clips.

    The mean over pixels and pairs of neighbouring frames of |e(t) - e(t-1)|, where e is the luma of the upscaled frame
    minus that of the true frame, in levels of 0 to 255. It is 0 for an error that does not move.
    """

    def __init__(self) -> None:
        self._before: tuple[str, np.ndarray] | None = None
        self._changes: list[float] = []

    def add(self, sr: np.ndarray, hr: np.ndarray, clip: str = "") -> None:
        """Add the next frame.

        Args:
            sr: Upscaled frame (H, W, 3) uint8.
            hr: True frame, same shape.
            clip: Name of its clip; frames of two clips are not compared.
        """
        error = (image_luma(sr) - image_luma(hr)).astype(np.float32)
        if self._before is not None and self._before[0] == clip:
            self._changes.append(float(np.abs(error - self._before[1]).mean()))
        self._before = clip, error

    def mean(self) -> float:
        """Return the flicker of all frames so far; 0 without two frames of one clip."""
        return float(np.mean(self._changes)) if self._changes else 0.0
