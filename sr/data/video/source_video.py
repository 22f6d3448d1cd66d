"""Read a video file: frames in the order of display, packets of audio and subtitles as they are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av import Packet, VideoFrame

FORMATS_OF_FRAMES = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p")
COPIED = ("audio", "subtitle")
ONLY_THIS_FILE = {
    "format_whitelist": "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,h264,hevc,ivf,yuv4mpegpipe,mpegvideo,gif",
    "protocol_whitelist": "file",
}
"""Options of FFmpeg: no lists of other files and addresses (HLS, DASH, concat), whatever the ending says."""
HDR_TRANSFERS = (16, 18)  # PQ and HLG
_LOOK_AHEAD_SECONDS = 10
"""Audio may lie so far behind the last frame in the file."""
_WITHOUT_INDEX, _SEEK_MARGIN_SECONDS = ("mpegts", "mpeg"), 20
"""Formats in which a seek may end behind the key frame that it needs."""
_TOLERANCE_SECONDS = 0.1
"""By which a container's duration may exceed its frames."""


def import_av() -> Any:
    """Import PyAV.

    Raises:
        ValueError: it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise ValueError(f"videos need PyAV ({error}): pip install 'sr-mobile[video]'") from error
    return av


class SourceVideo:
    """A video file that is open for reading. Time counts from its first frame.

    Args:
        path: the file.
        start: seconds to leave out at the beginning; None keeps all time stamps as they are.
        duration: seconds to read; None reads to the end.

    Raises:
        ValueError: not a video, truncated, encrypted, more than 8 bits, or colours that are not supported.
    """

    def __init__(self, path: Path, start: float | None = None, duration: float | None = None) -> None:
        av = import_av()
        self.path = path
        self._start, self._duration = (None if each is None else _exact(each) for each in (start, duration))
        if not path.is_file():
            raise ValueError(f"no video at {path}" if not path.exists() else f"{path} is no file")
        try:
            self.container = av.open(str(path), metadata_errors="replace", options=ONLY_THIS_FILE)
        except av.error.FFmpegError as error:
            raise ValueError(f"{path} is no video that can be read, or is truncated ({error.strerror})") from error
        self.notes: list[str] = []
        try:
            self.stream = self._video_stream()
            self._check_stream()
        except ValueError:
            self.close()
            raise
        self.stream.thread_type = "AUTO"
        self.copied = [each for each in self.container.streams if each.type in COPIED]
        kept = {self.stream.index, *(each.index for each in self.copied)}
        lost = [f"{each.type} stream {each.index}" for each in self.container.streams if each.index not in kept]
        self.notes += [f"{name} is left out" for name in lost]
        begins = self.stream.start_time
        own = None if begins is None or not self.stream.time_base else begins * self.stream.time_base
        self._zero = Fraction(self.container.start_time or 0, 1_000_000) if own is None else own

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    @property
    def offset(self) -> Fraction:
        """Return the seconds to subtract from all time stamps."""
        return Fraction(0) if self._start is None else self._zero + self._start

    @property
    def num_frames(self) -> int | None:
        """Return the expected number of frames; None if the file does not tell."""
        seconds = self._seconds()
        rate = self.stream.average_rate
        if not self._start and self._duration is None and self.stream.frames:
            return self.stream.frames
        if seconds is None or not rate:
            return None
        wanted = max(seconds - (self._start or 0), 0)
        return max(1, round(min(wanted, self._duration or wanted) * rate))

    def items(self) -> Iterator[VideoFrame | Packet]:
        """Yield the frames from start on, and between them the packets of the copied streams.

        Raises:
            ValueError: damaged or truncated, no frame at all, or a size that changes.
        """
        av = import_av()
        first, last = None, None
        try:
            for item in self._selected():
                if isinstance(item, av.VideoFrame):
                    first, last = first or item, item
                    self._check_frame(item, first)
                yield item
        except av.error.FFmpegError as error:
            where = f"behind {float(self._time(last)):.2f} s" if last else "at the beginning"
            raise ValueError(
                f"{self.path} is damaged or truncated {where} ({error.strerror}); copy it again, or take the "
                "whole part with --start and --duration"
            ) from error
        if last is None:
            what = "in this part; check --start and --duration" if self._start or self._duration else "at all"
            raise ValueError(f"{self.path} has no frame {what}")
        self._check_end(last)

    def _video_stream(self) -> Any:
        streams = [
            each for each in self.container.streams.video if not each.disposition.value & 0x400
        ]  # cover pictures
        if not streams:
            raise ValueError(f"{self.path} has no video stream")
        self.notes = [] if len(streams) == 1 else [f"of {len(streams)} video streams the first one is upscaled"]
        return streams[0]

    def _check_stream(self) -> None:
        context = self.stream.codec_context
        if context is None:
            raise ValueError(f"{self.path}: there is no decoder for its video")
        name = context.pix_fmt or ""
        if any(bits in name for bits in ("p9", "p10", "p12", "p14", "p16", "p010")):
            raise ValueError(
                f"{self.path} has more than 8 bits a sample ({name}), which is not supported; convert it to 8 bits "
                f"first: ffmpeg -i {self.path.name} -pix_fmt yuv420p 8bit.mp4"
            )
        if name and name not in FORMATS_OF_FRAMES:
            raise ValueError(f"{self.path} has frames of format {name}; supported are {', '.join(FORMATS_OF_FRAMES)}")
        if context.color_trc in HDR_TRANSFERS:
            raise ValueError(
                f"{self.path} is an HDR video (PQ or HLG), which is not supported; convert it to SDR first"
            )

    def _check_frame(self, frame: VideoFrame, first: VideoFrame) -> None:
        here = f"{self.path} changes at {float(self._time(frame)):.2f} s"
        if (frame.width, frame.height) != (first.width, first.height):
            raise ValueError(
                f"{here} from {first.width}x{first.height} to {frame.width}x{frame.height} pixels; upscale the parts "
                "one by one with --start and --duration"
            )
        if frame.format.name != first.format.name or frame.format.name not in FORMATS_OF_FRAMES:
            raise ValueError(f"{here} to frames of format {frame.format.name}, which is not supported")
        if frame.interlaced_frame and frame is first:
            self.notes.append("the frames are interlaced: deinterlace the video first, or its lines will not fit")

    def _check_end(self, last: VideoFrame) -> None:
        """Refuse a file that promises more than it holds."""
        seconds = self._seconds()
        if self._duration is not None or seconds is None:
            return
        frame_seconds = 1 / (self.stream.average_rate or 25)
        shown = (last.duration or 0) * last.time_base if last.time_base else 0
        end = float(self._time(last) + max(shown, frame_seconds))
        if end + max(2 * frame_seconds, _TOLERANCE_SECONDS) < seconds:
            raise ValueError(
                f"{self.path} is truncated: it ends at {end:.2f} s of {seconds:.2f} s; copy it again, or take what "
                f"there is with --duration {math.floor(100 * (end - (self._start or 0))) / 100:.2f}"
            )

    def _seconds(self) -> float | None:
        """Return the length of the video stream as the file tells it."""
        stream = self.stream
        if stream.duration is not None and stream.time_base:
            return float(stream.duration * stream.time_base)
        text = stream.metadata.get("DURATION", "")  # Matroska
        parts = text.split(":")
        if len(parts) == 3 and text.replace(":", "").replace(".", "").isdigit():
            return 3600 * int(parts[0]) + 60 * int(parts[1]) + float(parts[2])
        return None if self.copied or self.container.duration is None else self.container.duration / 1e6

    def _time(self, item: Any) -> Fraction:
        """Return the time of a frame or packet in seconds, as a player shows it."""
        pts = item.pts if item.pts is not None else item.dts or 0
        return pts * item.time_base - self._zero

    def _selected(self) -> Iterator[VideoFrame | Packet]:
        """Yield what lies between start and end; reading goes on until the audio has reached the end, too."""
        margin = _SEEK_MARGIN_SECONDS if self.container.format.name in _WITHOUT_INDEX else 0
        if self._start and self._start > margin:
            self.container.seek(int((self._start - margin + self._zero) * 1_000_000), backward=True)
        waiting, video_ended = {each.index for each in self.copied if each.type == "audio"}, False
        for packet in self.container.demux([self.stream, *self.copied]):
            time = self._time(packet) if packet.time_base else Fraction(0)
            if packet.stream_index == self.stream.index:
                frames = [] if video_ended else list(self._decoded(packet))
                yield from (frame for frame in frames if self._is_inside(self._time(frame)))
                video_ended = video_ended or any(self._is_past(self._time(frame)) for frame in frames)
            elif packet.dts is not None and self._is_inside(time):
                yield packet
            elif packet.dts is not None and self._is_past(time):
                waiting.discard(packet.stream_index)
            if video_ended and (not waiting or self._is_past(time - _LOOK_AHEAD_SECONDS)):
                return

    def _is_inside(self, time: Fraction) -> bool:
        return (self._start is None or time >= self._start) and not self._is_past(time)

    def _is_past(self, time: Fraction) -> bool:
        return self._duration is not None and time >= (self._start or 0) + self._duration

    def _decoded(self, packet: Packet) -> Iterator[VideoFrame]:
        if packet.has_sidedata("encryption_info"):
            raise ValueError(f"{self.path} is encrypted, and there is no key; give a video without protection")
        for frame in packet.decode():
            if frame.pts is None:  # raw streams and some AVI files
                rate = self.stream.average_rate or Fraction(25)
                frame.pts = getattr(self, "_next_pts", 0)
                frame.time_base = self.stream.time_base
                self._next_pts = frame.pts + round(1 / (rate * self.stream.time_base))
            yield frame


def _exact(seconds: float) -> Fraction:
    """Return a decimal number without the error of its binary form: 0.2 s is the time of frame 5 at 25 frames/s."""
    return Fraction(seconds).limit_denominator(1_000_000)
