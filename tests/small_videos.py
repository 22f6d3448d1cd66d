"""Small real videos, made with PyAV: crops that move over a photograph, and a sine as audio."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data

RATE, SAMPLES = 25, 44100


def write_video(
    path: Path,
    *,
    num_frames: int = 12,
    size: tuple[int, int] = (96, 128),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    matrix: int = 1,
    color_range: int = 1,
    audio: str | None = "aac",
    pts: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, RATE),
    rotation: int = 0,
    container: dict[str, str] | None = None,
    images: Sequence[np.ndarray] | None = None,
    scale: int = 1,
) -> Path:
    """Write a video; `scale` enlarges crop and motion, so that two videos show the same."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w", container_options=container or {}) as file:
        video = file.add_stream(codec, rate=RATE, options={"crf": "8", "preset": "ultrafast"})
        video.height, video.width, video.pix_fmt = size[0], size[1], pix_fmt
        video.codec_context.time_base = time_base
        video.codec_context.colorspace, video.codec_context.color_range = matrix, color_range
        if rotation:
            video.set_display_rotation(rotation)
        sound = file.add_stream(audio, rate=SAMPLES, layout="mono") if audio else None
        file.start_encoding()
        for number in range(num_frames):
            image = images[number] if images else moving_crop(number * scale, size)
            frame = av.VideoFrame.from_ndarray(image, "rgb24")
            frame = frame.reformat(format=pix_fmt, dst_colorspace=matrix, dst_color_range=color_range)
            frame.colorspace, frame.color_range = matrix, color_range
            frame.pts, frame.time_base = pts[number] if pts else number, time_base
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        if sound:
            _add_sine(av, file, sound, num_frames / RATE)
    return path


def moving_crop(number: int, size: tuple[int, int]) -> np.ndarray:
    return np.ascontiguousarray(data.astronaut()[number : number + size[0], 2 * number : 2 * number + size[1]])


def _add_sine(av: Any, file: Any, stream: Any, seconds: float) -> None:
    wave = (0.3 * np.sin(2 * np.pi * 440 * np.arange(int(SAMPLES * seconds)) / SAMPLES)).astype(np.float32)
    for start in range(0, len(wave), 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], "fltp", "mono")
        frame.rate, frame.pts, frame.time_base = SAMPLES, start, Fraction(1, SAMPLES)
        file.mux(stream.encode(frame))
    file.mux(stream.encode(None))
