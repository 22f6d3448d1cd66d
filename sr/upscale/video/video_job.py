"""Upscale a video: decode, upscale and encode overlap; the file appears under its name when it is whole."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from sr.data.video.frame_colors import FrameColors, rgb_reader
from sr.data.video.source_video import SourceVideo, import_av
from sr.runs.cores import num_cores
from sr.runs.files import write_atomically
from sr.runs.screen_text import printable
from sr.upscale.opened_net import OpenedNet
from sr.upscale.stages import Stages
from sr.upscale.video.frame_pixels import FrameUpscaler
from sr.upscale.video.target_video import TargetVideo, VideoSettings, check_video_target

if TYPE_CHECKING:
    from sr.upscale.video.reference_scores import ReferenceScores


@dataclass(frozen=True, kw_only=True)
class VideoResult:
    """What an upscaled video took.

    Args:
        num_frames: frames that were upscaled.
        size: their height and width.
        seconds: time of the whole job.
        stage_fps: stage -> frames a second that it makes while it works.
        bottleneck: the slowest stage.
        processor_seconds: processor time of all threads.
        scores: of `ReferenceScores`; empty without a true video.
    """

    num_frames: int
    size: tuple[int, int]
    seconds: float
    stage_fps: dict[str, float]
    bottleneck: str
    processor_seconds: float
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def fps(self) -> float:
        """Return the frames a second from end to end."""
        return self.num_frames / self.seconds

    @property
    def bound_fps(self) -> float:
        """Return the frames a second at which this processor time would keep every core busy."""
        return num_cores() * self.num_frames / self.processor_seconds

    def lines(self) -> list[str]:
        """Return the report for the user."""
        stages = ", ".join(f"{name} {fps:.1f}" for name, fps in self.stage_fps.items())
        shown = [
            f"{self.num_frames} frames of {self.size[1]}x{self.size[0]} in {self.seconds:.1f} s: {self.fps:.1f} "
            f"frames/s; bound by processor time on {num_cores()} cores: {self.bound_fps:.1f} frames/s",
            f"frames/s of each stage while it works: {stages}; bottleneck: {self.bottleneck}",
        ]
        if self.scores:
            shown.append(
                f"PSNR-Y {self.scores['psnr_y_db']:.2f} dB, SSIM-Y {self.scores['ssim_y']:.4f}, "
                f"flicker {self.scores['flicker']:.3f} levels"
            )
        return shown


@dataclass
class _Frame:
    """A frame on its way; `image` is RGB pixels, or a frame of planes for a luma net."""

    image: Any
    pts: int
    duration: int
    time_base: Any
    lr: Any = None


Watch = Callable[[float, np.ndarray, np.ndarray], None]
"""Gets the time in seconds, the LR pixels and the upscaled pixels of a frame."""


def upscale_video(
    net: OpenedNet,
    source: Path,
    target: Path,
    settings: VideoSettings,
    *,
    reference: Path | None = None,
    watch: Watch | None = None,
) -> VideoResult:
    """Upscale a video file.

    Args:
        net: the net.
        source: the video.
        target: the new video; it appears when it is whole.
        settings: how to cut and encode.
        reference: the true video, to score against.
        watch: function that is shown every frame, such as that of a comparison page.

    Raises:
        ValueError: a source that cannot be read to its end, or a target that cannot hold the result.
        OSError: the target cannot be written.
    """
    if target.exists() and source.exists() and target.samefile(source):
        raise ValueError(f"{target} is the video itself; give the large one another name")
    video = SourceVideo(source, settings.start, settings.duration)
    scores = None
    try:
        codec = check_video_target(video, target, settings)
        if reference:
            from sr.upscale.video.reference_scores import ReferenceScores  # imports torchmetrics

            scores = ReferenceScores(reference, net.scale, settings.start, settings.duration)
        job = _VideoJob(net, video, settings, codec, scores, watch)
        write_atomically(target, job.write)
    finally:
        video.close()
        if scores:
            scores.close()
    return job.result()


class _VideoJob:
    """The stages of one video and what they share."""

    def __init__(
        self,
        net: OpenedNet,
        video: SourceVideo,
        settings: VideoSettings,
        codec: str,
        scores: ReferenceScores | None,
        watch: Watch | None,
    ) -> None:
        self._net, self._video, self._settings, self._codec = net, video, settings, codec
        self._scores, self._watch = scores, watch
        self._upscaler: FrameUpscaler | None = None
        self._num_frames, self._seconds, self._processor_seconds = 0, 0.0, 0.0

    def write(self, path: Path) -> None:
        """Run the stages, and write the video to a path."""
        stages: dict[str, Any] = {"decode": self._decoded, "upscale": self._upscaled}
        if self._scores or self._watch:
            stages["compare"] = self._compared
        stages["encode"] = lambda items: self._encoded(items, path)
        self._stages = Stages(stages)
        start, processor_start = time.perf_counter(), time.process_time()
        with tqdm(total=self._video.num_frames, unit="frame", file=sys.stderr) as bar:
            for _ in self._stages.results():
                self._num_frames += 1
                bar.set_postfix_str(f"bottleneck: {self._stages.bottleneck}", refresh=False)
                bar.update()
        self._seconds = time.perf_counter() - start
        self._processor_seconds = time.process_time() - processor_start
        for note in self._video.notes:
            print(printable(f"{self._video.path}: {note}"), file=sys.stderr)

    def result(self) -> VideoResult:
        """Return what it took."""
        assert self._upscaler is not None, "a video has a frame"
        return VideoResult(
            num_frames=self._num_frames,
            size=self._upscaler.size,
            seconds=self._seconds,
            stage_fps={name: self._num_frames / max(busy, 1e-9) for name, busy in self._stages.busy_seconds.items()},
            bottleneck=self._stages.bottleneck,
            processor_seconds=self._processor_seconds,
            scores=self._scores.summary() if self._scores else {},
        )

    def _decoded(self, _: Iterator[Any]) -> Iterator[Any]:
        """Give packets as they are, and frames as RGB pixels, for a luma net as planes."""
        av = import_av()
        for item in self._video.items():
            if not isinstance(item, av.VideoFrame):
                yield item
                continue
            if self._upscaler is None:
                self._first, self._colors = item, FrameColors.of(item)
                self._to_rgb = rgb_reader(item, self._colors)
                self._upscaler = FrameUpscaler(self._net, item, self._colors)
            image = item if self._upscaler.is_luma else self._to_rgb(item).to_ndarray()
            yield _Frame(image, item.pts, item.duration or 0, item.time_base)

    def _upscaled(self, items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            if isinstance(item, _Frame):
                assert self._upscaler is not None, "made with the first frame"
                before = item.image
                item.lr = before if self._watch else None
                item.image = self._upscaler.luma(before) if self._upscaler.is_luma else self._upscaler.pixels(before)
            yield item

    def _compared(self, items: Iterator[Any]) -> Iterator[Any]:
        large_to_rgb: Any = None
        for item in items:
            if isinstance(item, _Frame):
                sr, lr = item.image, item.lr
                if self._upscaler is not None and self._upscaler.is_luma:
                    large_to_rgb = large_to_rgb or rgb_reader(sr, self._colors)
                    sr = large_to_rgb(sr).to_ndarray()
                    lr = self._to_rgb(lr).to_ndarray() if lr is not None else None
                if self._scores:
                    self._scores.add(sr)
                if self._watch and lr is not None:
                    self._watch(float(item.pts * item.time_base - self._video.offset), lr, sr)
                item.lr = None
            yield item

    def _encoded(self, items: Iterator[Any], path: Path) -> Iterator[None]:
        writer = TargetVideo(path, self._video, self._settings, self._codec)
        try:
            for item in items:
                if not isinstance(item, _Frame):
                    writer.copy(item)
                    continue
                assert self._upscaler is not None, "made with the first frame"
                writer.start(self._first, self._upscaler.size, self._colors)
                frame = item.image if self._upscaler.is_luma else self._upscaler.to_frame(item.image)
                writer.encode(frame, item.pts, item.duration, item.time_base)
                yield
            writer.finish()
        except BaseException:
            writer.abandon()
            raise
