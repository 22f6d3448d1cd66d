"""What is open stays, what is old goes, and a run that comes back decodes again: real maps, real processes."""

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from sr.data.cache import SourceImage, decoded
from sr.data.cache_cleanup import DAY_S, frames_lock, in_words, remove, stored
from sr.data.command import main
from sr.data.pixel_map import IMAGE_INDEX, GoneError, PixelMap
from sr.data.video.video_clips import clip_images

Make = Callable[..., PixelMap]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def make(tmp_path: Path, cache: Path) -> Make:
    """Decode an image of one colour; `days` ago it was opened last."""

    def made(colour: int, days: float = 0) -> PixelMap:
        path = tmp_path / f"{colour}.png"
        Image.fromarray(np.full((8, 8, 3), colour, np.uint8)).save(path)
        found = decoded([SourceImage(str(colour), path, None)], scale=2, shrink=1, cache=cache)
        os.utime(found.folder / IMAGE_INDEX, (time.time() - days * DAY_S,) * 2)
        return found

    return made


def test_only_what_is_old_and_closed_goes(make: Make, cache: Path):
    old, open_, new = make(1, days=40).folder, make(2, days=50), make(3, days=2).folder
    assert [(each.first, each.is_open) for each in stored(cache)] == [("2", True), ("1", False), ("3", False)]
    assert "3 sets" in in_words(stored(cache)) and "python -m sr.data --remove 30" in in_words(stored(cache))
    assert [each.folder for each in remove(cache, 30)] == [old]
    assert not old.exists() and new.exists()
    assert open_[0].hr.mean() == 2  # mapped only now
    moved = pickle.loads(pickle.dumps(open_))
    assert moved[0].hr.mean() == 2
    del open_, moved
    assert len(list(remove(cache, 0))) == 2
    assert [path.name for path in cache.iterdir() if path.name not in ("hashes", "locks")] == []
    assert make(1)[0].hr.mean() == 1  # decoded again


def test_opening_makes_it_new(make: Make, cache: Path):
    make(1, days=40)
    assert stored(cache)[0].unused_days > 39
    PixelMap(stored(cache)[0].folder)
    assert stored(cache)[0].unused_days < 1


def test_another_process_keeps_it_until_its_end(make: Make, cache: Path):
    folder = make(1, days=40).folder
    code = """
import sys
from pathlib import Path
from sr.data.pixel_map import PixelMap
held = PixelMap(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
assert held[0].hr.mean() == 1
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", code, str(folder)], **pipes)
    assert process.stdout and process.stdout.readline() == b"open\n"
    assert list(remove(cache, 0)) == [] and folder.exists()
    process.communicate()
    assert process.returncode == 0
    assert [each.folder for each in remove(cache, 0)] == [folder]


def test_what_killed_processes_left_goes_too(make: Make, cache: Path):
    key = make(1).folder.name
    for name in (f".{key}.123", f".removed.{key}.123", f".{key}.unfinished", ".mine.123"):
        (cache / name).mkdir()
    assert list(remove(cache, 1)) == []
    assert sorted(path.name for path in cache.glob(".*")) == [".mine.123"]


def test_frames_of_videos_are_listed_and_removed(
    make_video: Callable[..., Path], cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("av")
    place = make_video("in.mp4", num_frames=4, audio=None).parent
    (first, *_) = [image.path for image in clip_images(place, 2, cache, spread=False)]
    assert [(each.first, each.num_images, each.is_open) for each in stored(cache)] == [("video frame 000000", 2, True)]
    assert list(remove(cache, 0)) == [], "a run that asked for them just now may still read them"
    os.utime(first.parent, (time.time() - 40 * DAY_S,) * 2)
    dead = first.parent.with_name(f".{'0' * 32}")
    dead.mkdir()
    (first.parent.parent / "mine").mkdir()
    assert "1 set of decoded images" in in_words(stored(cache)) and "--remove 30" in in_words(stored(cache))
    with FileLock(frames_lock(cache, first.parent.name)):
        assert list(remove(cache, 30)) == []
    assert main(["--cache", str(cache), "--remove", "30"]) == 0
    assert "2 images" in capsys.readouterr().out
    assert [path.name for path in first.parent.parent.iterdir()] == ["mine"]
    assert clip_images(place, 2, cache, spread=False)[0].path == first and first.is_file()  # decoded again
    os.utime(first.parent, (time.time() - 40 * DAY_S,) * 2)
    clip_images(place, 2, cache, spread=False)
    assert stored(cache)[0].unused_days < 1, "each use counts"


def test_a_map_that_is_gone_is_told(make: Make, cache: Path):
    wire = pickle.dumps(make(1))
    assert len(list(remove(cache, 0))) == 1
    with pytest.raises(GoneError, match=r"were removed; run the same command again"):
        pickle.loads(wire)


def test_a_map_that_cannot_be_opened_stops_nobody(make: Make, cache: Path):
    """A folder in the index's place stands for another user's map, or one that went since it was listed."""
    (cache / ("0" * 32) / IMAGE_INDEX).mkdir(parents=True)
    assert make(1)[0].hr.mean() == 1  # its log line counts all maps
    assert [each.first for each in stored(cache)] == ["1"]


def test_the_command_line(make: Make, cache: Path, capsys: pytest.CaptureFixture[str]):
    make(1, days=40)
    assert main(["--cache", str(cache)]) == 0
    assert "1 set of decoded images" in capsys.readouterr().out.replace("\n", " ")
    assert main(["--cache", str(cache), "--remove", "30"]) == 0
    assert "removed" in capsys.readouterr().out and not stored(cache)
    assert main(["--cache", str(cache / "absent")]) == 1
    assert "give one with --cache or SR_CACHE" in capsys.readouterr().err
    assert main(["--remove", "soon"]) == 1
    assert "--remove: a number of at least 0 is needed, got 'soon'" in capsys.readouterr().err
