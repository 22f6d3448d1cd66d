"""Videos are read whole and in order, cut by time, and refused by name."""

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sr.data.video.source_video import SourceVideo

av = pytest.importorskip("av")


def _frames(path: Path, **cut) -> list:
    video = SourceVideo(path, **cut)
    try:
        return [item for item in video.items() if isinstance(item, av.VideoFrame)]
    finally:
        video.close()


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov", "ts"])
def test_all_frames_come_in_the_order_of_display(make_video, ending):
    path = make_video(f"in.{ending}")
    frames = _frames(path)
    times = [frame.pts * frame.time_base for frame in frames]
    assert len(frames) == 12 and times == sorted(times)
    video = SourceVideo(path)
    assert video.num_frames is None or abs(video.num_frames - 12) <= 2
    packets = [item for item in video.items() if isinstance(item, av.Packet)]
    assert {packet.stream.type for packet in packets} == {"audio"}
    video.close()


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize(
    ("start", "duration", "expected"), [(0.2, 0.16, [5, 6, 7, 8]), (0.4, None, [10, 11]), (0, 0.08, [0, 1])]
)
def test_a_part_has_exactly_the_frames_of_its_time(make_video, ending, start, duration, expected):
    path = make_video(f"in.{ending}")
    whole, part = _frames(path), _frames(path, start=start, duration=duration)
    zero = whole[0].pts
    shown = {round(float((frame.pts - zero) * frame.time_base) * 25) for frame in part}
    assert shown == set(expected)


def _encrypted(make_video) -> Path:
    key = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "00" * 16, "encryption_kid": "11" * 16}
    return make_video("encrypted.mp4", container=key)


def _deep(make_video) -> Path:
    return make_video("deep.mp4", pix_fmt="yuv420p10le")


def _text(make_video) -> Path:
    path = make_video().with_name("text.mp4")
    path.write_text("no video")
    return path


def _without_index(make_video) -> Path:
    path = make_video()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def _audio_only(make_video) -> Path:
    path = make_video().with_name("sound.mp4")
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate, frame.pts, frame.time_base = 44100, 0, Fraction(1, 44100)
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def _unknown_codec(make_video) -> Path:
    path = make_video("unknown.mp4", audio=None)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz9"))
    return path


def _empty(make_video) -> Path:
    path = make_video().with_name("empty.mp4")
    path.touch()
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_encrypted, r"encrypted\.mp4 is encrypted"),
        (_deep, r"deep\.mp4 has more than 8 bits a sample \(yuv420p10le\).*-pix_fmt yuv420p"),
        (_text, r"text\.mp4 is no video that can be read, or is truncated"),
        (_without_index, r"in\.mp4 is no video that can be read, or is truncated"),
        (_unknown_codec, r"unknown\.mp4: there is no decoder for its video"),
        (_empty, r"empty\.mp4 is no video that can be read, or is truncated"),
        (_audio_only, r"sound\.mp4 has no video stream"),
        (lambda make_video: make_video().with_name("missing.mp4"), r"no video at .*missing\.mp4"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(make_video, make, message):
    with pytest.raises(ValueError, match=message):
        _frames(make(make_video))


def test_a_video_without_frames_is_refused(make_video):
    with pytest.raises(ValueError, match=r"has no frame in this part; check --start and --duration"):
        _frames(make_video(), start=30.0)
    with pytest.raises(ValueError, match=r"(has no frame at all|no video that can be read)"):
        _frames(make_video("none.mkv", num_frames=0, audio=None))


@pytest.mark.parametrize(
    ("name", "container"),
    [("in.mp4", {"movflags": "faststart"}), ("in.mkv", {}), ("long.mp4", {"movflags": "faststart"})],
)
def test_a_truncated_video_is_refused_and_its_whole_part_can_be_taken(make_video, name, container):
    path = make_video(name, num_frames=50, container=container)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    with pytest.raises(ValueError, match=r"truncated") as error:
        _frames(path)
    advice = str(error.value).rpartition("--duration ")[2]
    part = float(advice) if advice[:1].isdigit() else 0.4
    assert len(_frames(path, duration=part)) >= 8


def test_a_size_that_changes_is_named_with_its_time(make_video, tmp_path):
    # A transport stream may be joined by its bytes, as recorders do when a channel changes its size.
    first = make_video("a.ts", audio=None)
    second = make_video("b.ts", size=(64, 96), audio=None)
    with open(first, "ab") as file, open(second, "rb") as other:
        shutil.copyfileobj(other, file)
    with pytest.raises(ValueError, match=r"changes at .* s from 128x96 to 96x64 pixels; upscale the parts one by one"):
        _frames(first)
