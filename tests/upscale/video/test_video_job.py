"""Whole videos: frames, times, colours, audio, subtitles, parts, scores, and jobs that end early."""

import os
import resource
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sr.upscale.video.target_video import VideoSettings
from sr.upscale.video.video_job import upscale_video

av = pytest.importorskip("av")
FAST = VideoSettings(preset="ultrafast", crf=10)


def _times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as file:
        return [frame.pts * frame.time_base for frame in file.decode(video=0)]


def _packets(path: Path) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as file:
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in file.demux(audio=0) if packet.size]


def _rgb(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_frames_times_and_audio_are_kept(make_video, tmp_path, int8_net, codec, ending):
    source, target = make_video(f"in.{ending}", codec=codec), tmp_path / f"out.{ending}"
    result = upscale_video(int8_net, source, target, FAST)
    assert (result.num_frames, result.size) == (12, (192, 256))
    assert _times(target) == _times(source)
    assert _packets(target) == _packets(source)
    with av.open(str(target)) as file:
        stream = file.streams.video[0]
        assert (stream.width, stream.height, stream.codec_context.name) == (
            256,
            192,
            {"libx264": "h264", "libx265": "hevc"}[codec],
        )
    for made, lr in zip(_rgb(target), _rgb(source), strict=True):
        assert np.abs(made.astype(int) - int8_net(lr)).mean() < 4


def test_a_variable_frame_rate_is_kept(make_video, tmp_path, int8_net):
    pts = [0, 10, 47, 48, 100, 333, 334, 340, 400, 1000, 1001, 1500]
    source = make_video("in.mkv", pts=pts, time_base=Fraction(1, 1000), audio=None)
    upscale_video(int8_net, source, tmp_path / "out.mkv", FAST)
    upscale_video(int8_net, source, tmp_path / "out.mp4", FAST)
    assert _times(source) == _times(tmp_path / "out.mkv") == [Fraction(each, 1000) for each in pts]
    assert np.allclose([float(each) for each in _times(tmp_path / "out.mp4")], np.array(pts) / 1000, atol=1e-3)


@pytest.mark.parametrize(("matrix", "color_range"), [(1, 1), (6, 1), (1, 2), (6, 2)])
def test_matrix_and_range_are_kept(make_video, tmp_path, int8_net, matrix, color_range):
    source = make_video(matrix=matrix, color_range=color_range, audio=None, num_frames=2)
    upscale_video(int8_net, source, tmp_path / "out.mp4", FAST)
    with av.open(str(source)) as before, av.open(str(tmp_path / "out.mp4")) as after:
        small, large = next(before.decode(video=0)), next(after.decode(video=0))
        assert (int(large.colorspace), int(large.color_range)) == (matrix, color_range)
        for plane, wide in zip(small.planes, large.planes, strict=True):
            means = [
                np.frombuffer(each, np.uint8).reshape(-1, each.line_size)[:, : each.width].mean()
                for each in (plane, wide)
            ]
            assert means[0] == pytest.approx(means[1], abs=0.7)


def test_rotation_subtitles_chapters_and_tags_are_kept(make_video, tmp_path, int8_net):
    source = _with_subtitles(make_video(rotation=90), tmp_path / "subtitled.mkv")
    upscale_video(int8_net, source, tmp_path / "out.mkv", FAST)
    with av.open(str(source)) as before, av.open(str(tmp_path / "out.mkv")) as after:
        assert after.metadata["title"] == "A title" and after.streams.audio[0].metadata["language"] == "fre"
        texts = [[bytes(packet) for packet in file.demux(subtitles=0) if packet.size] for file in (before, after)]
        assert texts[0] == texts[1] and len(texts[0]) == 1
        assert [chapter["metadata"] for chapter in after.chapters()] == [{"title": "One"}]
    with av.open(str(source)) as before, av.open(str(tmp_path / "out.mkv")) as after:
        assert next(after.decode(video=0)).rotation == next(before.decode(video=0)).rotation == 90
    with pytest.raises(ValueError, match=r"out\.mp4 cannot hold the subtitle stream 2 \(subrip\).*ending \.mkv"):
        upscale_video(int8_net, source, tmp_path / "out.mp4", FAST)


def _with_subtitles(video: Path, path: Path) -> Path:
    text = path.with_suffix(".srt")
    text.write_text("1\n00:00:00,100 --> 00:00:00,300\nHello\n\n")
    with av.open(str(video)) as source, av.open(str(text)) as words, av.open(str(path), "w") as target:
        target.metadata["title"] = "A title"
        streams = {}
        for file in (source, words):
            for stream in file.streams:
                streams[file, stream.index] = target.add_stream_from_template(stream)
        streams[source, 0].set_display_rotation(90)
        title = {"title": "One"}
        target.set_chapters([{"id": 1, "start": 0, "end": 400, "time_base": Fraction(1, 1000), "metadata": title}])
        streams[source, 1].metadata["language"] = "fre"
        for file in (words, source):
            for packet in file.demux():
                if packet.dts is not None:
                    packet.stream = streams[file, packet.stream_index]
                    target.mux(packet)
    return path


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_part_starts_at_zero_with_its_own_sound(make_video, tmp_path, int8_net, ending):
    source = make_video(f"in.{ending}", num_frames=50)
    target = tmp_path / f"out.{ending}"
    part = VideoSettings(preset="ultrafast", start=0.4, duration=0.8)
    assert upscale_video(int8_net, source, target, part).num_frames == 20
    assert _times(target) == [Fraction(each, 25) for each in range(20)]
    kept = _packets(target)
    assert kept[0][0] < 0.03 and 0.7 < kept[-1][0] < 0.8
    whole = [content for _, content in _packets(source)]
    first = whole.index(kept[0][1])
    assert [content for _, content in kept] == whole[first : first + len(kept)]


def test_scores_against_the_true_video(make_video, tmp_path, net, int8_net):
    source = make_video(num_frames=4, audio=None)
    upscale_video(net, source, tmp_path / "true.mp4", VideoSettings(preset="ultrafast", crf=0))
    shown = []
    result = upscale_video(
        int8_net,
        source,
        tmp_path / "out.mp4",
        FAST,
        reference=tmp_path / "true.mp4",
        watch=lambda *each: shown.append(each),
    )
    assert result.scores["psnr_y_db"] > 38 and result.scores["ssim_y"] > 0.97 and 0 < result.scores["flicker"] < 2
    assert [seconds for seconds, _, _ in shown] == [0, 0.04, 0.08, 0.12] and shown[0][2].shape == (192, 256, 3)
    assert "PSNR-Y" in result.lines()[-1] and set(result.stage_fps) == {"decode", "upscale", "compare", "encode"}


def test_a_broken_source_leaves_no_target(make_video, tmp_path, int8_net):
    source = make_video(num_frames=50, container={"movflags": "faststart"})
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 6 // 10])
    with pytest.raises(ValueError, match="truncated"):
        upscale_video(int8_net, source, tmp_path / "out.mp4", FAST)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_a_video_is_not_written_over_itself(make_video, tmp_path, int8_net):
    source = make_video()
    before = source.read_bytes()
    (tmp_path / "link.mp4").symlink_to(source)
    for target in (source, tmp_path / "link.mp4"):
        with pytest.raises(ValueError, match="is the video itself; give the large one another name"):
            upscale_video(int8_net, source, target, FAST)
    assert source.read_bytes() == before


def test_a_size_that_changes_midway_leaves_no_target(make_video, tmp_path, int8_net):
    source, other = make_video("a.ts", audio=None), make_video("b.ts", size=(64, 96), audio=None)
    source.write_bytes(source.read_bytes() + other.read_bytes())
    with pytest.raises(ValueError, match=r"a\.ts changes at .* s from 128x96 to 96x64 pixels"):
        upscale_video(int8_net, source, tmp_path / "out.mp4", FAST)
    assert not list(tmp_path.glob("*out*")) and not list(tmp_path.glob(".sr-*"))


def _command(source: Path, target: Path) -> list[str]:
    return [sys.executable, "-m", "sr.upscale", str(source), str(target), "--preset", "ultrafast"]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_killed_job_leaves_nothing_under_the_final_name(make_video, tmp_path, number, status):
    source, target = make_video(num_frames=200, size=(360, 480), images=_noise(200), audio=None), tmp_path / "out.mp4"
    job = subprocess.Popen(_command(source, target), stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".sr-partial-*")) and time.monotonic() < deadline and job.poll() is None:
        time.sleep(0.05)
    time.sleep(0.3)
    job.send_signal(number)
    job.communicate(timeout=60)
    assert job.returncode == status and not target.exists()
    if number != signal.SIGKILL:
        assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def _noise(num_frames: int) -> list[np.ndarray]:
    image = np.random.default_rng(0).integers(0, 256, (360, 480, 3), np.uint8)
    return [np.roll(image, number, 0) for number in range(num_frames)]


def test_a_disk_that_is_full_in_the_middle_is_named(make_video, tmp_path):
    source = make_video(num_frames=40, size=(360, 480), images=_noise(40), audio=None)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    command = [*_command(source, tmp_path / "out.mp4"), "--crf", "1"]
    done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 1 and "out.mp4 could not be written: File too large" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]
