"""Degraded copies in the cache: made once, found again, resumed, and in front of the same HR images."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr.data.cache import decoded
from sr.data.decode import SourceImage
from sr.data.degradation.chain import Degradation
from sr.data.degradation.codec import Codec, coded_frames
from sr.data.degradation.degraded_map import clips_of, degraded_map, degraded_pairs
from sr.data.degradation.jpeg import Jpeg
from sr.data.pixel_map import PixelMap
from sr.data.statistics import moments
from tests.small_videos import moving_crop

CLEAN = Degradation(chain=[], variants=1, steps={})


def jpeg(quality=(30, 90)) -> Degradation:
    return Degradation(chain=["jpeg"], variants=3, steps={"jpeg": Jpeg(quality=quality)})


@pytest.fixture
def images(tmp_path: Path) -> PixelMap:
    rng = np.random.default_rng(0)
    for i in range(3):
        Image.fromarray(rng.integers(0, 256, (40 + 2 * i, 48, 3), dtype=np.uint8)).save(tmp_path / f"{i}.png")
    files = [SourceImage(str(i), tmp_path / f"{i}.png", None) for i in range(3)]
    return decoded(files, scale=2, shrink=1, cache=tmp_path / "cache")


def pairs_of(images, degradation, num_used=3, num_made=3):
    places = {"scale": 2, "cache": images.folder.parent, "num_used": num_used, "num_made": num_made}
    return degraded_pairs(images, [(images, range(len(images)))], degradation, **places)


def test_every_image_has_its_copies_before_its_own_hr_image(images):
    pairs = pairs_of(images, jpeg())
    assert len(pairs) == 9
    for number, pair in enumerate(pairs):
        clean = images[number // 3]
        wanted = jpeg().degraded(clean, 2, number % 3, images.hr_hash(number // 3))
        assert pair.name == clean.name and np.array_equal(pair.lr, wanted)
        assert np.array_equal(pair.hr, clean.hr) and np.array_equal(pair.clean_lr, clean.lr)
    assert pairs[-1].name == "2"
    with pytest.raises(IndexError):
        pairs[9]


def test_fewer_copies_are_the_first_ones(images):
    first = pairs_of(images, jpeg(), num_used=1)
    assert [pair.lr.tobytes() for pair in first] == [pair.lr.tobytes() for pair in pairs_of(images, jpeg())][::3]
    one_each = pairs_of(images, jpeg(), num_used=1, num_made=1)
    assert [pair.lr.tobytes() for pair in first] == [pair.lr.tobytes() for pair in one_each]


def test_clean_pairs_stay_as_they_are(images):
    assert pairs_of(images, CLEAN) is images


def test_copies_are_made_once_and_follow_the_settings(images, caplog):
    made = {"scale": 2, "cache": images.folder.parent, "variants": 2}
    with caplog.at_level("INFO"):
        first = degraded_map(images, jpeg(), **made)
        again = degraded_map(images, jpeg(), **made)
        other = degraded_map(images, jpeg((30, 91)), **made)
    assert first.folder == again.folder != other.folder
    assert caplog.text.count("degrading 3 images, 2 copies of each, by jpeg") == 2


def test_frames_of_a_clip_are_degraded_together(tmp_path):
    files = []
    for name in ("one/0", "one/1", "two/0"):
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(moving_crop(len(files), (64, 96))).save(path)
        files.append(SourceImage(name, path, None))
    images = decoded(files, scale=2, shrink=1, cache=tmp_path / "cache")
    steps = {"codec": Codec(codecs=["h264"], qp=[34, 34], frames=4, intra_share=0, motion=4)}
    stream = Degradation(chain=["codec"], variants=1, steps=steps)
    assert clips_of(images) == [[0, 1], [2]]
    made = degraded_map(images, stream, scale=2, cache=tmp_path / "cache", variants=1, in_clips=True)
    wanted = [*coded_frames([images[0].lr, images[1].lr], "h264", 34), *coded_frames([images[2].lr], "h264", 34)]
    assert all(np.array_equal(pair.lr, lr) for pair, lr in zip(made, wanted, strict=True))


def test_the_moments_are_those_of_the_degraded_images(images):
    pairs = pairs_of(images, jpeg())
    assert pairs.lr_moments().tolist() == sum(moments(pair.lr) for pair in pairs).tolist()


def test_a_full_disk_is_told_before_the_work(images, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(ValueError, match=r"GB are needed for 9 images"):
        pairs_of(images, jpeg())
