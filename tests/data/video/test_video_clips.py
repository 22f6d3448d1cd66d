"""Clips: frames of folders and videos, evenly spread or consecutive; one frame or changing sizes are refused."""

import numpy as np
import pytest
from PIL import Image

from sr.data.video import video_clips
from sr.data.video.source_video import SourceVideo
from sr.data.video.video_clips import clip_images, find_clips, spread_numbers
from tests.small_videos import moving_crop

pytest.importorskip("av")


def close(path, image, limit=6.0):
    """Whether a frame shows an image, apart from what the encoder lost."""
    return np.abs(np.array(Image.open(path)).astype(float) - image).mean() < limit


def folder_clip(place, count, size=(48, 64)):
    place.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(moving_crop(number, size)).save(place / f"{number:03}.png")


def test_videos_and_folders_of_frames_are_clips(tmp_path, make_video):
    make_video("b.mp4", num_frames=3)
    folder_clip(tmp_path / "a", 2)
    (tmp_path / "notes.txt").touch()
    assert [clip.name for clip in find_clips(tmp_path)] == ["a", "b.mp4"]


def test_the_first_frames_of_a_video_are_taken(tmp_path, make_video):
    make_video("in.mp4", num_frames=12, matrix=6, audio=None)
    images = clip_images(tmp_path, 4, tmp_path / ".cache", spread=False)
    assert [image.name for image in images] == [f"in.mp4/{number:06}" for number in range(4)]
    assert all(close(image.path, moving_crop(number, (96, 128))) for number, image in enumerate(images))


@pytest.mark.parametrize("seeks", [0, 32])
def test_spread_frames_are_those_of_their_numbers(tmp_path, make_video, monkeypatch, seeks):
    monkeypatch.setattr(video_clips, "_SEEK_FRAMES", seeks)
    make_video("in.mp4", num_frames=20, matrix=6)
    images = clip_images(tmp_path, 3, tmp_path / ".cache", spread=True)
    assert [image.path.stem for image in images] == ["000003", "000010", "000016"]
    assert all(close(image.path, moving_crop(int(image.path.stem), (96, 128))) for image in images)


def test_frames_are_decoded_once_and_not_the_whole_video(tmp_path, make_video, monkeypatch):
    make_video("in.mp4", num_frames=60, audio=None)
    seen = []
    monkeypatch.setattr(SourceVideo, "_check_frame", lambda self, frame, first: seen.append(frame.pts))
    first = clip_images(tmp_path, 4, tmp_path / ".cache", spread=False)
    assert 4 <= len(seen) < 30
    seen.clear()
    assert clip_images(tmp_path, 4, tmp_path / ".cache", spread=False) == first and not seen


def test_a_clip_of_one_frame_trains_but_is_not_scored(tmp_path):
    folder_clip(tmp_path / "short", 1)
    assert len(clip_images(tmp_path, 8, tmp_path / ".cache", spread=True)) == 1
    with pytest.raises(ValueError, match=r"clip short in .* has one frame, and flicker needs two: add frames"):
        clip_images(tmp_path, 8, tmp_path / ".cache", spread=False)


def test_a_clip_that_changes_its_size_is_refused(tmp_path):
    folder_clip(tmp_path / "walk", 3)
    Image.fromarray(moving_crop(0, (32, 64))).save(tmp_path / "walk/001.png")
    with pytest.raises(ValueError, match=r"clip walk changes its size from 64x48 to 64x32 .* at 001\.png; split it"):
        clip_images(tmp_path, 3, tmp_path / ".cache", spread=True)


def test_a_damaged_video_leaves_nothing_half_written(tmp_path, make_video):
    path = make_video("in.mkv", num_frames=40, audio=None)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"in\.mkv is (damaged or )?truncated"):
        clip_images(tmp_path, 100, tmp_path / ".cache", spread=False)
    assert not [*(tmp_path / ".cache/frames").iterdir()]


def test_folders_without_clips_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"holds no clip; put videos \(\.mp4, .*or folders of frames there"):
        find_clips(tmp_path)
    with pytest.raises(ValueError, match=r"no folder .*absent; give one that holds videos"):
        find_clips(tmp_path / "absent")


def test_a_short_clip_gives_all_its_frames():
    assert spread_numbers(3, 8) == [0, 1, 2]
