"""What a target video holds: streams, tags, time stamps, rotation, and what it cannot hold."""

from fractions import Fraction

import numpy as np
import pytest

from sr.data.video.frame_colors import FrameColors
from sr.data.video.source_video import SourceVideo
from sr.upscale.video.target_video import TargetVideo, VideoSettings, check_video_target, display_matrix

av = pytest.importorskip("av")


def test_an_unknown_ending_is_refused_before_the_work(make_video, tmp_path):
    source = SourceVideo(make_video())
    with pytest.raises(ValueError, match=r"cannot write out\.avi: the ending of a video is one of \.mp4"):
        check_video_target(source, tmp_path / "out.avi", VideoSettings())
    source.close()


@pytest.mark.parametrize(
    ("encoder", "asked", "codec"),
    [("libx264", "auto", "h264"), ("libx265", "auto", "hevc"), ("libx265", "h264", "h264")],
)
def test_the_codec_is_that_of_the_source_or_the_one_asked_for(make_video, tmp_path, encoder, asked, codec):
    source = SourceVideo(make_video(codec=encoder))
    assert check_video_target(source, tmp_path / "out.mp4", VideoSettings(codec=asked)) == codec
    source.close()


def test_the_display_matrix_is_read_from_a_frame(make_video):
    with av.open(str(make_video(rotation=90))) as file:
        matrix = display_matrix(next(file.decode(video=0)))
    assert matrix is not None and len(matrix) == 9 and [value // 65536 for value in matrix[:5]] == [0, -1, 0, 1, 0]
    with av.open(str(make_video("plain.mp4"))) as file:
        assert display_matrix(next(file.decode(video=0))) is None


def test_time_stamps_that_fall_are_refused(make_video, tmp_path):
    source = SourceVideo(make_video())
    frame = next(item for item in source.items() if isinstance(item, av.VideoFrame))
    target = TargetVideo(tmp_path / "out.mp4", source, VideoSettings(), "h264")
    target.start(frame, (96, 128), FrameColors.of(frame))
    target.encode(_black(), 1000, 512, Fraction(1, 12800))
    with pytest.raises(ValueError, match=r"the time stamps of the video do not rise at 0\.08 s"):
        target.encode(_black(), 1000, 512, Fraction(1, 12800))
    target.abandon()
    source.close()


def _black():
    return av.VideoFrame.from_ndarray(np.zeros((96, 128, 3), np.uint8), "rgb24").reformat(format="yuv420p")


def test_a_missing_encoder_is_named_before_the_work(make_video, tmp_path, monkeypatch):
    video = SourceVideo(make_video())
    monkeypatch.setattr(av, "codecs_available", av.codecs_available - {"libx265"})
    with pytest.raises(ValueError, match=r"this PyAV has no encoder libx265 for hevc; .* or give --codec"):
        check_video_target(video, tmp_path / "out.mp4", VideoSettings(codec="hevc"))
    video.close()
