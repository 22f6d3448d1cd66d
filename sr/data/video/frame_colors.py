"""Colours of video frames, and their conversion to RGB with swscale."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from sr.data.video.source_video import import_av

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
