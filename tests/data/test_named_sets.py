"""Test sets by name: clean, degraded, of clips; never under the same name."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr.data.cache import decoded
from sr.data.named_sets import NamedSets
from sr.data.video.video_clips import ClipFrames
from sr.stages.stage_images import pairs_hash
from tests.data.degradation.conftest import photo_pair


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, shift in (("holiday/a", 0), ("holiday/b", 8), ("walks/one/000", 0), ("walks/one/001", 4)):
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(photo_pair(64, 64).hr, shift, 1)).save(path)
    return tmp_path


def sets(root: Path, *names: str) -> NamedSets:
    cache = root / "cache"
    decode = partial(decoded, scale=2, cache=cache)
    return NamedSets(names, root=root, also=root, scale=2, cache=cache, decode=decode, num_frames=16)


def test_a_copy_has_the_hr_images_of_its_set_and_a_name_of_its_own(root: Path):
    found = sets(root, "Holiday", "holiday_jpeg_q20", "holiday_render")
    assert [*found.sets] == ["holiday", "holiday_jpeg_q20", "holiday_render"]
    assert [*found.maps] == ["holiday"]  # decoded once
    clean, coded, rendered = found.sets.values()
    assert np.array_equal(clean[1].hr, coded[1].hr) and np.array_equal(clean[1].hr, rendered[1].hr)
    assert len({pair.lr.tobytes() for pair in (clean[1], coded[1], rendered[1])}) == 3
    assert len({*map(pairs_hash, found.sets.values())}) == 3


def test_a_folder_of_the_very_name_wins(root: Path):
    (root / "holiday").rename(root / "holiday_render")
    found = sets(root, "holiday_render")
    assert found.copies == {"holiday_render": ("holiday_render", None)}


def test_folders_of_frames_are_clips_and_can_be_degraded(root: Path):
    found = sets(root, "walks", "walks_jpeg_q20", "holiday").sets
    assert [isinstance(pairs, ClipFrames) for pairs in found.values()] == [True, True, False]
    assert [pair.name for pair in found["walks_jpeg_q20"]] == ["one/000", "one/001"]
    assert pairs_hash(found["walks"]) != pairs_hash(found["walks_jpeg_q20"])


def test_a_wrong_value_is_refused_before_anything_is_decoded(root: Path):
    with pytest.raises(ValueError, match=r"test set 'holiday_h264_qp77': .*qp is a number from 0 to 51, got 77"):
        sets(root, "holiday_h264_qp77")
    assert not (root / "cache").exists()
