"""Decoded once, shared, never half there: real files, real processes, real kills and a real limit on file sizes."""

import logging
import multiprocessing
import os
import pickle
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sr.data.cache import SourceImage, content_hashes, decoded
from sr.data.decode import decode
from sr.data.pixel_map import PIXELS
from sr.data.pixel_record import RECORDS
from sr.functional.resize import as_ratio


@pytest.fixture
def images(tmp_path: Path) -> list[SourceImage]:
    return make_images(tmp_path / "set", 5)


def make_images(folder: Path, count: int, side: int = 40) -> list[SourceImage]:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(count):
        Image.fromarray(rng.integers(0, 256, (side + i, side, 3), dtype=np.uint8)).save(folder / f"{i:02}.png")
        os.utime(folder / f"{i:02}.png", (1e9, 1e9))  # old enough for its time stamp to be trusted
    return [SourceImage(f"{i:02}", folder / f"{i:02}.png", None) for i in range(count)]


@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
def test_pairs_come_back_as_decoded(images: list[SourceImage], tmp_path: Path, scale: float):
    pairs = decoded(images, scale=scale, shrink=1, cache=tmp_path / "cache")
    assert len(pairs) == 5
    for image, pair in zip(images, pairs, strict=True):
        again = decode(image, scale=as_ratio(scale), shrink=as_ratio(1))
        assert pair.name == again.name
        assert np.array_equal(pair.lr, again.lr)
        assert np.array_equal(pair.hr, again.hr)
        assert pair.hr.base is not None  # a view, not a copy
        assert not pair.hr.flags.writeable


def test_the_second_opening_decodes_nothing(images: list[SourceImage], tmp_path: Path):
    first = decoded(images, scale=2, shrink=1, cache=tmp_path / "cache")
    made = (first.folder / PIXELS).stat().st_mtime_ns
    second = decoded(images, scale=2, shrink=1, cache=tmp_path / "cache")
    assert second.folder == first.folder
    assert (second.folder / PIXELS).stat().st_mtime_ns == made


def test_scale_shrink_names_and_contents_have_maps_of_their_own(images: list[SourceImage], tmp_path: Path):
    def folder(chosen: list[SourceImage] = images, scale: float = 2, shrink: float = 1) -> Path:
        return decoded(chosen, scale=scale, shrink=shrink, cache=tmp_path / "cache").folder

    renamed = [image._replace(name=f"n{image.name}") for image in images]
    folders = {folder(), folder(scale=3), folder(scale=1.5), folder(shrink=2), folder(images[:4]), folder(renamed)}
    assert len(folders) == 6
    Image.new("RGB", (40, 40)).save(images[2].path)
    assert folder() not in folders
    assert not decoded(images, scale=2, shrink=1, cache=tmp_path / "cache")[2].hr.any()


def test_a_touched_file_is_hashed_again_but_not_decoded_again(images: list[SourceImage], tmp_path: Path):
    first = decoded(images, scale=2, shrink=1, cache=tmp_path / "cache")
    os.utime(images[0].path, (2e9 - 1e9, 1.1e9))
    assert decoded(images, scale=2, shrink=1, cache=tmp_path / "cache").folder == first.folder


def test_an_unchanged_file_is_not_read_again(images: list[SourceImage], tmp_path: Path):
    paths = [image.path for image in images]
    before = content_hashes(paths, tmp_path / "cache")
    same_size = b"x" * paths[1].stat().st_size
    paths[1].write_bytes(same_size)
    os.utime(paths[1], (1e9, 1e9))  # size and time as before: the fast path cannot know, and must not read
    assert content_hashes(paths, tmp_path / "cache") == before
    os.utime(paths[1], (1e9, 1.2e9))
    assert content_hashes(paths, tmp_path / "cache")[1] != before[1]


def test_a_file_changed_within_its_time_stamp_is_noticed(images: list[SourceImage], tmp_path: Path):
    path = images[0].path
    os.utime(path)  # now
    stamp = path.stat().st_mtime_ns
    before = content_hashes([path], tmp_path / "cache")
    path.write_bytes(b"x" * path.stat().st_size)
    os.utime(path, ns=(stamp, stamp))
    assert content_hashes([path], tmp_path / "cache") != before


def test_a_map_travels_to_another_process_by_name(images: list[SourceImage], tmp_path: Path):
    pairs = decoded(images, scale=2, shrink=1, cache=tmp_path / "cache")
    pairs[0]
    wire = pickle.dumps(pairs)
    assert len(wire) < 500
    assert np.array_equal(pickle.loads(wire)[4].hr, pairs[4].hr)


def test_damage_is_told(images: list[SourceImage], tmp_path: Path):
    pairs = decoded(images, scale=2, shrink=1, cache=tmp_path / "cache")
    os.truncate(pairs.folder / PIXELS, 1000)
    with pytest.raises(ValueError, match=r"has 1000 bytes instead of \d+; remove that folder"):
        decoded(images, scale=2, shrink=1, cache=tmp_path / "cache")


def test_pipes_and_broken_images_are_named_together(images: list[SourceImage], tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.png")
    images[1].path.write_text("x")
    images[2] = images[2]._replace(path=tmp_path / "pipe.png")
    with pytest.raises(ValueError, match=r"2 of 5 images cannot be used:\n.*01\.png is not.*\n.*pipe\.png is a named"):
        decoded(images, scale=2, shrink=1, cache=tmp_path / "cache")


def test_a_bad_image_leaves_nothing_behind(images: list[SourceImage], tmp_path: Path):
    images[1].path.write_bytes(images[1].path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"1 of 5 images cannot be used:\n.*01\.png is truncated"):
        decoded(images, scale=2, shrink=1, cache=tmp_path / "cache")
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["hashes", "locks"]


SPAWN = multiprocessing.get_context("spawn")  # a fork of this process can wait for a lock of one of its threads


def build(images: list[SourceImage], cache: Path, results: Any, limit: int | None = None) -> None:
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        pairs = decoded(images, scale=2, shrink=1, cache=cache)
        results.put((pairs.folder, sum(int(pair.lr.sum()) for pair in pairs)))
    except ValueError as error:
        results.put(str(error))


def test_processes_at_once_all_end_right(tmp_path: Path):
    images, results = make_images(tmp_path / "set", 30, side=100), SPAWN.Queue()
    processes = [SPAWN.Process(target=build, args=(images, tmp_path / "cache", results)) for _ in range(3)]
    for process in processes:
        process.start()
    ends = [results.get(timeout=100) for _ in processes]
    for process in processes:
        process.join()
    assert len({*ends}) == 1
    assert ends[0] == (ends[0][0], sum(int(decode(i, scale=as_ratio(2), shrink=as_ratio(1)).lr.sum()) for i in images))
    assert not list((tmp_path / "cache").glob(".*"))


def test_the_next_start_goes_on_where_a_killed_one_stopped(tmp_path: Path, caplog):
    images, results = make_images(tmp_path / "set", 60, side=200), SPAWN.SimpleQueue()
    process = SPAWN.Process(target=build, args=(images, tmp_path / "cache", results))
    process.start()
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size for path in (tmp_path / "cache").glob(f".*/{RECORDS}")):
        assert process.is_alive()
        assert time.monotonic() < deadline
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert list((tmp_path / "cache").glob(".*"))
    with caplog.at_level(logging.INFO):
        pairs = decoded(images, scale=2, shrink=1, cache=tmp_path / "cache")
    assert re.search(r"decoding [1-5]?\d images .*, after [1-9]\d? that an earlier start decoded", caplog.text)
    assert len(pairs) == 60
    assert np.array_equal(pairs[59].hr, decode(images[59], scale=as_ratio(2), shrink=as_ratio(1)).hr)
    assert not list((tmp_path / "cache").glob(".*"))


def test_a_disk_that_fills_up_is_told_in_one_line(tmp_path: Path):
    images, results = make_images(tmp_path / "set", 10, side=100), SPAWN.Queue()
    process = SPAWN.Process(target=build, args=(images, tmp_path / "cache", results, 50_000))
    process.start()
    told = results.get(timeout=100)
    process.join()
    assert re.fullmatch(
        rf"cannot write the decoded images to {tmp_path}/cache: File too large \(.* GB free there\); "
        r"free some space \(`python -m sr\.data` lists old ones\), "
        r"or name another folder with data\.cache=<folder> or SR_CACHE",
        told,
    )
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["hashes", "locks"]


def test_too_little_room_shows_before_decoding(images: list[SourceImage], tmp_path: Path, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(ValueError, match=r"0\.00 GB are needed for 5 images \(0\.00 GB free there\)"):
        decoded(images, scale=2, shrink=1, cache=tmp_path / "cache")


def test_a_place_that_cannot_be_written_is_told(images: list[SourceImage], tmp_path: Path, caplog):
    (tmp_path / "file").touch()
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(ValueError, match=r"cannot write .*Not a directory.*data\.cache="),
    ):
        decoded(images, scale=2, shrink=1, cache=tmp_path / "file" / "cache")
    assert "hashed again at each start" in caplog.text


@pytest.mark.slow
def test_memory_stays_bounded_on_4k_photographs(shared_data: Path, tmp_path: Path):
    code = """
import sys, resource
from pathlib import Path
from itertools import islice
from sr.data.cache import SourceImage, decoded
from sr.data.patches import PatchStream
images = [SourceImage(path.stem, path, None) for path in sorted(Path(sys.argv[1]).glob("*.jpg"))]
pairs = decoded(images, scale=2, shrink=1, cache=Path(sys.argv[2]))
settings = dict(scale=2, batch_size=16, lr_patch=48, seed=0, start=0, rows=(0, 1), sampling="area", augment=True)
stream = PatchStream(pairs=pairs, **settings)
for _ in islice(stream, 500): pass
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
print(len(images), int(status["RssAnon"].split()[0]) / 1e6, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""
    arguments = [sys.executable, "-c", code, shared_data / "train" / "CC0_photos", tmp_path / "cache"]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=500)
    assert ended.returncode == 0, ended.stderr
    num_images, own_gb, _ = map(float, ended.stdout.split())
    assert num_images >= 37
    assert own_gb < 2
