"""Benchmark of `sr upscale` on a video: frames a second beside the bound of processor time, and memory."""

import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from sr.bench.measurement import Measurement, format_machine
from sr.data.video.source_video import import_av
from sr.functional.resize import imresize
from sr.report.table import Column, Table
from sr.upscale.opened_net import OpenedNet, open_net
from sr.upscale.video.target_video import VideoSettings
from sr.upscale.video.video_job import VideoResult, num_cores, upscale_video

_COLUMNS = (
    Column("round", "round", "d"),
    Column("fps", "frames/s", ".1f"),
    Column("bound_fps", "bound, frames/s", ".1f"),
    Column("share_of_bound", "share of bound", ".2f"),
    Column("share_of_free", "share of free processor time", ".2f"),
    Column("cpu_ms", "processor ms a frame", ".1f"),
    Column("bottleneck", "bottleneck"),
    Column("resident_mb", "memory afterwards, MB", ".0f"),
    Column("peak_mb", "peak memory, MB", ".0f"),
)
_NOTE = (
    "bound: all cores busy with this processor time; free: this processor time, and the time in which a core of the "
    "machine was idle (other programs took the rest); both count decoding and encoding"
)


def measure_video(
    overrides: Sequence[str],
    *,
    net: str,
    precision: str,
    runtime: str,
    num_frames: int,
    num_rounds: int,
    frame_size: str,
    preset: str,
) -> Measurement:
    """Upscale a generated H.264 video several times from end to end.

    Args:
        overrides: Not used; there is no config.
        net: As `open_net`.
        precision: "fp32" or "int8".
        runtime: As `open_net`.
        num_frames: Frames of a round.
        num_rounds: Rounds; memory that grows from round to round would be a leak.
        frame_size: Width x height of the source.
        preset: Of x264.

    Raises:
        ValueError: An override, a size that is none, or no such net.
    """
    refuse_settings("video", overrides)
    height, width = size_of_text("--frame-size", frame_size)
    opened = open_net(net, precision=precision, runtime=runtime)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.mp4"
        write_video(source, num_frames, height, width)
        rows = [_round(number, opened, source, preset) for number in range(1, num_rounds + 1)]
    setting = {"net": opened.title, "num_frames": num_frames, "frame_size": frame_size, "preset": preset}
    best = max(row["share_of_free"] for row in rows)
    notes = [_NOTE, f"best share of free processor time: {best:.2f}", format_machine()]
    title = f"{opened.title}, {frame_size}, {num_frames} frames, x264 {preset}"
    return Measurement(setting=setting, figures={"rounds": rows}, tables=[Table(title, _COLUMNS, rows, notes)])


def refuse_settings(command: str, overrides: Sequence[str]) -> None:
    """Refuse settings of a run, for a benchmark without one.

    Args:
        command: Name of the benchmark.
        overrides: Of the command line.

    Raises:
        ValueError: There are some.
    """
    if overrides:
        raise ValueError(f"sr.bench {command} takes no settings of a run, got {' '.join(overrides)}; see --help")


def size_of_text(option: str, text: str) -> tuple[int, int]:
    """Return height and width of "WxH".

    Raises:
        ValueError: It is not two even numbers of at least 16.

    Example:
        >>> size_of_text("--frame-size", "960x540")
        (540, 960)
    """
    parts = text.split("x")
    if len(parts) != 2 or not all(part.isdecimal() and int(part) >= 16 and int(part) % 2 == 0 for part in parts):
        raise ValueError(f"{option} is width x height, even numbers of at least 16, such as 960x540; got {text!r}")
    return int(parts[1]), int(parts[0])


def write_video(path: Path, num_frames: int, height: int, width: int) -> None:
    """Write an H.264 video that moves across a photograph with some noise, as a camera does."""
    av, photo = import_av(), photograph(height + 64, width + 64)
    noise = np.random.default_rng(0).integers(-3, 4, (height, width, 3), np.int16)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(num_frames):
            top, left = (abs(number * step % 128 - 64) for step in (1, 2))
            moved = photo[top : top + height, left : left + width] + np.roll(noise, 7 * number, axis=(0, 1))
            frame = av.VideoFrame.from_ndarray(moved.clip(0, 255).astype(np.uint8), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def photograph(height: int, width: int) -> np.ndarray:
    """Return a photograph (height, width, 3) uint8: one of scikit-image, repeated and mirrored to the size."""
    from skimage import data

    photo = imresize(data.coffee(), 2)
    rows, columns = (-(-size // length) for size, length in zip((height, width), photo.shape, strict=False))
    pair = np.concatenate((photo, photo[::-1]))
    return np.tile(np.concatenate((pair, pair[:, ::-1]), axis=1), ((rows + 1) // 2, (columns + 1) // 2, 1))[
        :height, :width
    ]


def _round(number: int, net: OpenedNet, source: Path, preset: str) -> dict[str, Any]:
    idle = idle_seconds()
    result = upscale_video(net, source, source.with_name("out.mp4"), VideoSettings(preset=preset))
    return {"round": number, **_figures(result, idle_seconds() - idle), **memory_mb()}


def _figures(result: VideoResult, idle: float) -> dict[str, Any]:
    return {
        "fps": result.fps,
        "bound_fps": result.bound_fps,
        "share_of_bound": result.fps / result.bound_fps,
        "share_of_free": result.processor_seconds / (result.processor_seconds + idle),
        "cpu_ms": 1e3 * result.processor_seconds / result.num_frames,
        "bottleneck": result.bottleneck,
        "stage_fps": result.stage_fps,
    }


def idle_seconds(stat: Path = Path("/proc/stat")) -> float:
    """Return the seconds in which cores of the machine were idle, summed over cores.

    Where the system does not tell, it is the time that all cores had: shares of free time are then those of the bound.

    Args:
        stat: The file in which Linux counts them.
    """
    if not stat.is_file():
        return time.perf_counter() * num_cores() - time.process_time()
    import os

    idle, waiting = stat.read_text(encoding="utf-8").split("\n", 1)[0].split()[4:6]
    return (int(idle) + int(waiting)) / os.sysconf("SC_CLK_TCK")


def memory_mb() -> dict[str, float | None]:
    """Return the memory of this process now and at its peak, in MB; None where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return {"resident_mb": None, "peak_mb": None}
    fields = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines() if ":" in line)
    return {name: int(fields[key].split()[0]) / 1e3 for name, key in (("resident_mb", "VmRSS"), ("peak_mb", "VmHWM"))}
