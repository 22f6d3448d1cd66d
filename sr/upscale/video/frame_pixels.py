"""Frames as pixels and back: colour matrix, range and chroma position are kept; luma nets work on the Y plane."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from sr.upscale.one_picture import upscaled_size
from sr.upscale.opened_net import OpenedNet
from sr.upscale.video.source_video import import_av

if TYPE_CHECKING:
    from av import VideoFrame

MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020"}
UNSPECIFIED = 2
LIMITED, FULL = 1, 2
_HD_HEIGHT = 720
_EXACT = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"  # the default rounds down by up to a level


@dataclass(frozen=True, kw_only=True)
class FrameColors:
    """What the samples of a video mean, with the numbers of ITU-T H.273.

    Args:
        matrix: a key of `MATRICES`.
        color_range: `LIMITED` or `FULL`.
        primaries: number of the primaries.
        transfer: number of the transfer characteristic.
        pix_fmt: format of the frames, such as "yuv420p".
    """

    matrix: int
    color_range: int
    primaries: int
    transfer: int
    pix_fmt: str

    @classmethod
    def of(cls, frame: VideoFrame) -> FrameColors:
        """Read the colours of a frame; what it does not say is what players assume: BT.709 from 720 lines on."""
        assumed = 1 if frame.height >= _HD_HEIGHT else 6
        name = frame.format.name
        full = frame.color_range == FULL or name.startswith("yuvj")
        return cls(
            matrix=int(frame.colorspace) if int(frame.colorspace) in MATRICES else assumed,
            color_range=FULL if full else LIMITED,
            primaries=int(frame.color_primaries),
            transfer=int(frame.color_trc),
            pix_fmt=name.replace("yuvj", "yuv"),
        )


class FrameConverter:
    """Convert frames of one size and format with swscale.

    Args:
        size: height and width of the frames that come in.
        result: height and width of the frames that go out.
        formats: format of the frames that come in and that go out.
        options: of FFmpeg's filter `scale`.
    """

    def __init__(self, size: tuple[int, int], result: tuple[int, int], formats: tuple[str, str], options: str) -> None:
        av = import_av()
        self._graph = av.filter.Graph()
        kind = av.VideoFormat(formats[0], size[1], size[0])
        entry = self._graph.add_buffer(width=size[1], height=size[0], format=kind, time_base=Fraction(1, 1000))
        scale = self._graph.add("scale", f"{result[1]}:{result[0]}:flags={_EXACT}:{options}")
        self._graph.link_nodes(entry, scale, self._graph.add("format", formats[1]), self._graph.add("buffersink"))
        self._graph.configure()

    def __call__(self, frame: VideoFrame) -> VideoFrame:
        """Convert a frame."""
        self._graph.vpush(frame)
        return self._graph.vpull()


def rgb_reader(frame: VideoFrame, colors: FrameColors) -> FrameConverter:
    """Return the converter of frames like this one to RGB."""
    size = (frame.height, frame.width)
    name = "tv" if colors.color_range == LIMITED else "pc"
    options = f"in_color_matrix={MATRICES[colors.matrix]}:in_range={name}:out_range=pc:in_chroma_loc=left"
    return FrameConverter(size, size, (frame.format.name, "rgb24"), options)


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
