"""Frames as pixels and back: colour matrix, range and chroma position are kept; luma nets work on the Y plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sr.data.video.frame_colors import LIMITED, MATRICES, FrameColors, FrameConverter
from sr.data.video.source_video import import_av
from sr.upscale.one_picture import upscaled_size
from sr.upscale.opened_net import OpenedNet

if TYPE_CHECKING:
    from av import VideoFrame


class FrameUpscaler:
    """Upscale frames of one video.

    An RGB net gets RGB pixels. A luma net gets the Y plane as it is, and the chroma planes are enlarged by bicubic.

    Args:
        net: the net.
        frame: the first frame.
        colors: its colours.
    """

    def __init__(self, net: OpenedNet, frame: VideoFrame, colors: FrameColors) -> None:
        self._net = net
        self.is_luma = net.upscaler.color == "y"
        self.size = even_size(upscaled_size((frame.height, frame.width), net.scale), colors.pix_fmt)
        name = "tv" if colors.color_range == LIMITED else "pc"
        matrix, size = MATRICES[colors.matrix], (frame.height, frame.width)
        if self.is_luma:
            same = f"in_color_matrix={matrix}:out_color_matrix={matrix}:in_range={name}:out_range={name}"
            formats = (frame.format.name, colors.pix_fmt)
            self._enlarge = FrameConverter(size, self.size, formats, f"{same}:in_chroma_loc=left:out_chroma_loc=left")
        self._write = FrameConverter(
            self.size,
            self.size,
            ("rgb24", colors.pix_fmt),
            f"in_range=pc:out_color_matrix={matrix}:out_range={name}:out_chroma_loc=left",
        )

    def luma(self, frame: VideoFrame) -> VideoFrame:
        """Upscale a frame plane by plane."""
        plane = _plane(frame, 0)
        large = self._enlarge(frame)
        large.make_writable()
        _plane(large, 0)[:] = self._net.upscaler.luma(plane.astype(np.float32))[: large.height, : large.width]
        return large

    def pixels(self, rgb: np.ndarray) -> np.ndarray:
        """Upscale RGB pixels (h, w, 3), and crop the result to `size`."""
        return self._net(rgb)[: self.size[0], : self.size[1]]

    def to_frame(self, rgb: np.ndarray) -> VideoFrame:
        """Convert RGB pixels of `size` to a frame in the colours of the video."""
        return self._write(import_av().VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24"))


def even_size(size: tuple[int, int], pix_fmt: str) -> tuple[int, int]:
    """Return a size without the last row or column that a subsampled chroma plane has no sample for.

    >>> even_size((811, 1441), "yuv420p"), even_size((811, 1441), "yuv444p")
    ((810, 1440), (811, 1441))
    """
    rows, columns = {"yuv420p": (2, 2), "yuv422p": (1, 2)}.get(pix_fmt, (1, 1))
    return size[0] // rows * rows, size[1] // columns * columns


def _plane(frame: VideoFrame, number: int) -> np.ndarray:
    """Return a plane as a view (rows, columns)."""
    plane: Any = frame.planes[number]
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
