"""Write a video file: encoded frames, and the copied audio, subtitles, chapters and tags of the source."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sr.data.degradation.codec import ENCODERS
from sr.data.video.frame_colors import FrameColors
from sr.data.video.source_video import SourceVideo, import_av

if TYPE_CHECKING:
    from av import Packet, VideoFrame

VIDEO_TARGETS = (".mp4", ".mkv", ".mov", ".m4v")
_OF_CONTAINER = ("major_brand", "minor_version", "compatible_brands", "encoder", "creation_time")
"""Tags that describe the source file, not its content."""


@dataclass(frozen=True, kw_only=True)
class VideoSettings:
    """How a video is cut and encoded.

    Args:
        codec: "h264", "hevc", or "auto" for the codec of the source where it is one of these.
        crf: quality of x264 and x265: 0 is lossless, 51 the worst.
        preset: speed of x264 and x265, from "ultrafast" to "veryslow".
        start: seconds to leave out at the beginning; None: 0, all time stamps are kept.
        duration: seconds to upscale; None: to the end.
    """

    codec: str = "auto"
    crf: float = 18
    preset: str = "veryfast"
    start: float | None = None
    duration: float | None = None


def check_video_target(source: SourceVideo, target: Path, settings: VideoSettings) -> str:
    """Return the codec to encode with; refuse what the target cannot hold, before the work.

    Raises:
        ValueError: an unknown ending, a missing encoder, or an audio or subtitle codec that the container lacks.
    """
    av = import_av()
    if target.suffix.lower() not in VIDEO_TARGETS:
        raise ValueError(f"cannot write {target.name}: the ending of a video is one of {', '.join(VIDEO_TARGETS)}")
    own = source.stream.codec_context.name
    codec = settings.codec if settings.codec != "auto" else (own if own in ENCODERS else "h264")
    if ENCODERS[codec] not in av.codecs_available:
        raise ValueError(
            f"this PyAV has no encoder {ENCODERS[codec]} for {codec}; install PyAV's own wheel, or give --codec"
        )
    with av.open(_Discarded(), "w", format=_format(target)) as probe:
        held = probe.supported_codecs
    for stream in source.copied:
        if stream.codec_context is None or stream.codec_context.codec.canonical_name not in held:
            name = stream.codec_context.codec.canonical_name if stream.codec_context else "of an unknown codec"
            raise ValueError(
                f"{target.name} cannot hold the {stream.type} stream {stream.index} ({name}) of {source.path.name}; "
                "give the target the ending .mkv"
            )
    return codec


def _format(target: Path) -> str:
    return {".mkv": "matroska", ".mov": "mov"}.get(target.suffix.lower(), "mp4")


class _Discarded:
    """A file that keeps nothing."""

    def write(self, content: bytes) -> int:
        return len(content)

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def tell(self) -> int:
        return 0


class TargetVideo:
    """A video file that is open for writing.

    Args:
        path: the file; its ending tells the container.
        source: the video that it is made of.
        settings: how to encode.
        codec: of `check_video_target`.
    """

    def __init__(self, path: Path, source: SourceVideo, settings: VideoSettings, codec: str) -> None:
        self._source, self._settings, self._codec = source, settings, codec
        self._offset = source.offset
        self._last_pts: int | None = None
        self._streams: dict[int, Any] = {}
        self._early: list[Packet] = []  # before the first frame
        self._stream: Any = None
        self.container = import_av().open(str(path), "w", format=_format(path))
        self.container.metadata.update(_kept(source.container.metadata))

    def start(self, first: VideoFrame, size: tuple[int, int], colors: FrameColors) -> None:
        """Make the streams, in the order of the source; nothing happens at later calls.

        Args:
            first: the first source frame.
            size: height and width of the frames to encode.
            colors: their colours.
        """
        if self._stream is not None:
            return
        source = self._source
        for each in source.container.streams:
            if each.index == source.stream.index:
                self._stream = self._add_video(first, size, colors)
            elif each in source.copied:
                copied = self.container.add_stream_from_template(each)
                copied.metadata.update(_kept(each.metadata))
                copied.disposition = each.disposition
                self._streams[each.index] = copied
        if self._settings.start is None and self._settings.duration is None and source.container.chapters():
            self.container.set_chapters(source.container.chapters())
        for packet in self._early:
            self.copy(packet)

    def _add_video(self, first: VideoFrame, size: tuple[int, int], colors: FrameColors) -> Any:
        source, settings = self._source.stream, self._settings
        options = {"preset": settings.preset, "crf": f"{settings.crf:g}"}
        if self._codec == "hevc":
            options["x265-params"] = "log-level=error"
        rate = source.average_rate or source.guessed_rate or 25
        stream = self.container.add_stream(ENCODERS[self._codec], rate=rate, options=options)
        stream.height, stream.width, stream.pix_fmt = *size, colors.pix_fmt
        context = stream.codec_context
        context.time_base = first.time_base
        context.color_range, context.colorspace = colors.color_range, colors.matrix
        context.color_primaries, context.color_trc = colors.primaries, colors.transfer
        context.thread_type = "AUTO"
        if source.sample_aspect_ratio:
            context.sample_aspect_ratio = source.sample_aspect_ratio
        if self._codec == "hevc" and self.container.format.name != "matroska":
            context.codec_tag = "hvc1"  # Apple's players refuse hev1
        stream.metadata.update({key: text for key, text in _kept(source.metadata).items() if key != "DURATION"})
        stream.set_display_matrix(display_matrix(first))
        return stream

    def encode(self, frame: VideoFrame, pts: int, duration: int, time_base: Fraction) -> None:
        """Encode a frame that is shown at a time stamp of the source.

        Raises:
            ValueError: the time stamps do not rise.
        """
        frame.pts = pts - round(self._offset / time_base)
        frame.time_base, frame.duration, frame.pict_type = time_base, duration, 0
        if self._last_pts is not None and frame.pts <= self._last_pts:
            raise ValueError(
                f"the time stamps of the video do not rise at {float(pts * time_base):.2f} s; remux it first"
            )
        self._last_pts = frame.pts
        self.container.mux(self._stream.encode(frame))

    def copy(self, packet: Packet) -> None:
        """Write a packet of a copied stream."""
        if self._stream is None:
            self._early.append(packet)
            return
        shift = round(self._offset / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        packet.stream = self._streams[packet.stream_index]
        self.container.mux(packet)

    def finish(self) -> None:
        """Encode what the encoder holds, and close the file."""
        self.container.mux(self._stream.encode(None))
        self.container.close()

    def abandon(self) -> None:
        """Close the file after an error."""
        with suppress(Exception):  # the trailer of a file that could not be written cannot be written, either
            self.container.close()


def _kept(metadata: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in metadata.items() if key.lower() not in _OF_CONTAINER}


def display_matrix(frame: VideoFrame) -> Sequence[int] | None:
    """Return the matrix by which players turn the picture, 9 integers; None if it is shown as it is."""
    data: Any
    for data in frame.side_data:
        if data.type.name == "DISPLAYMATRIX":
            return [int(value) for value in np.frombuffer(bytes(data), np.int32)]
    return None
