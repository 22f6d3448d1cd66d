"""Compare upscaled frames with those of the true video: PSNR, SSIM and flicker."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sr.data.video.frame_colors import FrameColors, rgb_reader
from sr.data.video.source_video import SourceVideo, import_av
from sr.evaluation.flicker import Flicker
from sr.metrics import protocol


class ReferenceScores:
    """Mean PSNR and SSIM over frames (protocol "y"), and how much the error changes (`Flicker`).

    Args:
        path: the true video.
        scale: upscaling factor.
        start: seconds to leave out at the beginning, as in the source.
        duration: seconds to read, as in the source.
    """

    def __init__(self, path: Path, scale: float, start: float | None, duration: float | None) -> None:
        self._video = SourceVideo(path, start, duration)
        self._scale = scale
        self._frames = self._true_frames()
        self._scores: list[tuple[float, float]] = []
        self._flicker = Flicker()

    def close(self) -> None:
        """Close the true video."""
        self._frames.close()
        self._video.close()

    def add(self, sr: np.ndarray) -> None:
        """Score the next frame (H, W, 3) uint8.

        Raises:
            ValueError: the true video has another size, or fewer frames.
        """
        hr = next(self._frames, None)
        if hr is None:
            raise ValueError(f"{self._video.path} has only {len(self._scores)} frames; give the video of the same part")
        hr = hr[: sr.shape[0], : sr.shape[1]]
        if hr.shape != sr.shape:
            raise ValueError(
                f"{self._video.path} has {hr.shape[1]}x{hr.shape[0]} pixels, and the upscaled video "
                f"{sr.shape[1]}x{sr.shape[0]}; give the true video at x{self._scale:g}"
            )
        psnr_db, ssim = protocol("y").score(_batch(sr), _batch(hr), self._scale)
        self._scores.append((psnr_db.item(), ssim.item()))
        self._flicker.add(sr, hr)

    def summary(self) -> dict[str, float]:
        """Return the means: psnr_y_db, ssim_y, flicker (0 for a single frame)."""
        psnr, ssim = np.mean(self._scores, axis=0)
        return {"psnr_y_db": float(psnr), "ssim_y": float(ssim), "flicker": self._flicker.mean()}

    def _true_frames(self) -> Generator[np.ndarray, None, None]:
        convert: Any = None
        for item in self._video.items():
            if isinstance(item, import_av().VideoFrame):
                convert = convert or rgb_reader(item, FrameColors.of(item))
                yield convert(item).to_ndarray()


def _batch(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
