"""Degraded training images, weights of sources, and frames of clips, through the data module."""

import itertools
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sr.data.degradation.chain import Degradation
from sr.data.degradation.jpeg import Jpeg
from sr.data.sources import Source
from tests.data.test_module import CLEAN, data
from tests.small_videos import moving_crop


def jpeg(variants: int = 3) -> Degradation:
    return Degradation(chain=["jpeg"], variants=variants, steps={"jpeg": Jpeg(quality=[10, 20])})


def test_a_degraded_training_goes_on_to_the_bit(folder: Path):
    degraded = data(folder, degradation=jpeg())
    assert len(degraded.train_pairs) == 3 * degraded.describe()["num_images"]
    batches = list(itertools.islice(degraded.stream(0), 12))
    again = next(pickle.loads(pickle.dumps(data(folder, degradation=jpeg()).stream(11))))
    assert all(torch.equal(one, other) for one, other in zip(batches[11], again, strict=True))
    assert len({*data(folder, degradation=jpeg()).calibration(1, 4)[0].unbind()}) == 4


def test_clean_batches_do_not_know_of_degradations(folder: Path):
    clean, degraded = (next(data(folder, degradation=each).stream(0)) for each in (CLEAN, jpeg(1)))
    assert torch.equal(clean[1], degraded[1])  # the same places of the same images
    assert not torch.equal(clean[0], degraded[0])


def test_degraded_scores_have_a_name_of_their_own(folder: Path):
    degraded = data(folder, heldout_every=5, degradation=jpeg())
    assert [*degraded.test_sets] == ["heldout", f"heldout_{jpeg().label}"]
    clean, coded = degraded.test_sets.values()
    assert [pair.name for pair in clean] == [pair.name for pair in coded] == ["04", "09"]
    assert np.array_equal(clean[0].hr, coded[0].hr) and not np.array_equal(clean[0].lr, coded[0].lr)
    assert degraded.fingerprint() != data(folder, heldout_every=5).fingerprint()
    assert degraded.describe()["lr_std"] != data(folder, heldout_every=5).describe()["lr_std"]


def test_a_source_with_more_weight_is_drawn_more_often(folder: Path):
    Image.new("RGB", (64, 64)).save(folder / "black.png")
    files = [f"{i:02}.png" for i in range(9)]

    def share_of_black(weight: float) -> float:
        sources = [{"path": ".", "files": files}, {"path": ".", "files": ["black.png"], "weight": weight}]
        images = data(folder, sources=sources, heldout_every=None, heldout_sources=[{"path": ".", "files": ["10.png"]}])
        drawn = torch.cat([hr for _, hr in itertools.islice(images.stream(0), 100)])
        return float((drawn.amax((1, 2, 3)) == 0).float().mean())

    images_even = data(folder, sources=[{"path": ".", "weight": 2}])
    assert images_even.stream(0).weights is None
    assert share_of_black(1) == pytest.approx(0.02, abs=0.03)  # of two places the more detailed one is taken
    assert share_of_black(81) == pytest.approx(0.81, abs=0.06)


def test_patches_larger_than_an_image_are_refused_before_anything_is_degraded(folder: Path, caplog):
    with caplog.at_level("INFO"), pytest.raises(ValueError, match=r"smaller than a patch of 48x48 LR pixels"):
        data(folder, lr_patch=48, degradation=jpeg()).prepare_data()
    assert "degrading" not in caplog.text


@pytest.fixture
def clips(tmp_path):
    for clip in ("one", "two"):
        (tmp_path / "clips" / clip).mkdir(parents=True)
        for number in range(6):
            Image.fromarray(moving_crop(number, (48, 64))).save(tmp_path / "clips" / clip / f"{number}.png")
    return tmp_path / "clips"


def test_frames_of_clips_are_training_images(clips):
    images = data(clips, sources=[{"path": ".", "frames": 2}], heldout_every=4)
    assert [pair.name for pair in images.train_pairs] == ["one/1", "one/4", "two/1"]
    assert [pair.name for pair in images.val_pairs] == ["two/4"]
    assert np.array_equal(images.train_pairs[1].hr, moving_crop(4, (48, 64)))


def test_frames_go_with_whole_folders_only():
    with pytest.raises(ValueError, match=r"has `frames`, which goes with neither `files`, `lr` nor a share"):
        Source(path=".", frames=2, lr="lr")
    with pytest.raises(ValueError, match=r"frames of data source \. is a whole number of at least 1, got 0"):
        Source(path=".", frames=0)
    with pytest.raises(ValueError, match=r"weight of data source \. is a number above 0 and at most 1e\+06, got 0"):
        Source(path=".", weight=0)
