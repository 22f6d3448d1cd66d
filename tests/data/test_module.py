"""The data module with a real Trainer, and every data set that `conf/data` offers."""

import inspect
import itertools
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from PIL import Image

from sr.data.degradation.chain import Degradation
from sr.data.module import ImageData

CONF = Path(__file__).resolve().parents[2] / "conf" / "data"
CLEAN = Degradation(chain=[], variants=1, steps={})
NAMES = sorted(path.stem for path in CONF.glob("*.yaml"))


def settings(name: str, **changes: Any) -> dict[str, Any]:
    """The values of a file in conf/data, extended as Hydra would, with plain values for interpolations."""
    values = {}
    for path in (CONF.parent / "image_data.yaml", CONF / f"{name}.yaml"):
        values |= yaml.safe_load(path.read_text())
    assert values.pop("_target_") == "sr.data.module.ImageData"
    values.pop("defaults", None)
    plain = {
        "scale": 2,
        "seed": 0,
        "chunk": 1,
        "cache": os.environ["SR_CACHE"],
        "gpu_cache": "auto",
        "max_megapixels": None,
        "degradation": CLEAN,
    }
    return values | plain | {"max_megapixels": None} | changes


def data(folder: Path, **changes: Any) -> ImageData:
    return ImageData(**settings("folder", root=str(folder), test_root=str(folder), lr_patch=8, batch_size=4) | changes)


def test_there_are_data_sets():
    assert {"photos", "folder", "div2k", "mix", "gaming"} <= {*NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_lists_every_argument_and_no_argument_has_a_default(name: str):
    parameters = inspect.signature(ImageData).parameters
    assert {*settings(name)} == {*parameters}
    assert all(p.default is p.empty and p.kind is p.KEYWORD_ONLY for p in parameters.values())


@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
def test_photos_work_on_their_own(scale: float):
    photos = ImageData(**settings("photos", scale=scale, root="absent", test_root="absent"))
    names = [pair.name for pair in photos.train_pairs]
    assert names == [Path(name).stem for name in settings("photos")["sources"][0]["files"]]
    heldout = photos.test_sets["heldout"]
    assert not {*names} & {pair.name for pair in heldout}
    assert len(heldout) >= 2
    lr, hr = next(photos.stream(0))
    assert lr.shape == (16, 3, 48, 48)
    assert hr.shape == (16, 3, int(48 * scale), int(48 * scale))
    photo = photos.train_pairs[0]
    assert photo.name == "astronaut"
    assert photo.hr.shape == (512 // 3 * 3 if scale in (1.5, 3) else 512,) * 2 + (3,)


def test_the_photographs_are_in_the_wheel_itself():
    from importlib.metadata import files

    shipped = {Path(str(file)).name for file in files("scikit-image") or [] if "skimage/data/" in str(file)}
    config = settings("photos")
    wanted = {name for key in ("sources", "heldout_sources") for source in config[key] for name in source["files"]}
    assert wanted <= shipped


def test_mix_and_gaming_find_their_folders(shared_data: Path):
    gaming = ImageData(**settings("gaming", root=str(shared_data), test_root=str(shared_data)))
    assert len(gaming.train_pairs) + len(gaming.val_pairs) == 89
    assert {name: len(pairs) for name, pairs in gaming.test_sets.items()} == {"gaming_test": 5}
    for source in ImageData(**settings("mix", root=str(shared_data), test_root=str(shared_data))).sources:
        assert source.images(shared_data)


def test_no_training_image_is_held_out(folder: Path):
    images = data(folder, heldout_every=5)
    train, heldout = [p.name for p in images.train_pairs], [p.name for p in images.val_pairs]
    assert heldout == ["04", "09"]
    assert sorted(train + heldout) == [f"{i:02}" for i in range(12)]
    assert [*images.test_sets] == ["heldout"]


def test_shrinks_multiply(folder: Path):
    halved = data(folder, sources=[{"path": ".", "shrink": 2}], shrink=1.5)
    assert halved.train_pairs[0].hr.shape == (20, 22, 3)


def test_validation_sees_a_few_images_whole_or_their_middle(folder: Path):
    assert [p.name for p in data(folder, heldout_every=2, val_images=3).val_dataloader()] == ["01", "05", "11"]
    assert len(data(folder, heldout_every=2, val_images=None).val_dataloader()) == 6
    assert data(folder, val_crop=None).val_dataloader()[0].hr.shape == (68, 64, 3)
    assert data(folder, val_crop=33).val_dataloader()[0].hr.shape == (32, 32, 3)


def test_the_fingerprint_follows_everything_that_changes_training_images(folder: Path):
    def print_of(**changes: Any) -> str:
        return data(folder, **changes).fingerprint()

    prints = [print_of(), print_of(scale=3), print_of(shrink=2), print_of(heldout_every=3)]
    assert len({*prints}) == 4
    assert print_of(batch_size=2, seed=5, cache=str(folder.parent / "other")) == prints[0]
    Image.new("RGB", (64, 64)).save(folder / "03.png")
    assert print_of() != prints[0]


def test_named_sets_are_found_and_a_missing_one_is_told(folder: Path):
    (folder / "test/Holiday").mkdir(parents=True)
    Image.new("RGB", (31, 31)).save(folder / "test/Holiday/a.png")
    assert data(folder, sources=[{"path": "../set", "files": ["00.png", "01.png"]}], test=["holiday"]).test_sets[
        "holiday"
    ][0].hr.shape == (30, 30, 3)
    with pytest.raises(ValueError, match="'set5' is not in"):
        _ = data(folder, test=["set5"]).test_sets


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heldout_every": None}, "either data.heldout_sources or data.heldout_every"),
        ({"heldout_sources": [{"path": "."}]}, "either data.heldout_sources or data.heldout_every"),
        ({"heldout_every": 1}, r"data\.heldout_every is a whole number of at least 2, got 1"),
        ({"root": None}, r"data\.root is null; data=folder .* data\.root=<their folder>"),
        ({"shrink": 0.5}, r"data\.shrink is a number of at least 1, got 0\.5"),
        ({"chunk": 0}, r"train\.chunk is a whole number of at least 1, got 0"),
        ({"small_images": "hide"}, "refuse or skip, got 'hide'"),
        ({"sources": [{"folder": "."}]}, "a data source has path, shrink, files, lr, share, weight, frames; got"),
        ({"test": "set5"}, r"data\.test is a list, got 'set5'"),
    ],
)
def test_wrong_settings_are_told(folder: Path, changes: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        data(folder, **changes)


@pytest.mark.parametrize("key", ["batch_size", "lr_patch", "val_images", "val_crop"])
@pytest.mark.parametrize("value", [0, -4, 2.5])
def test_what_is_counted_is_one_or_more(folder: Path, key: str, value: float):
    with pytest.raises(ValueError, match=rf"data\.{key} is a whole number of at least 1, got {value}"):
        data(folder, **{key: value})


def test_no_sources_and_an_empty_folder_are_told(folder: Path, tmp_path: Path):
    with pytest.raises(ValueError, match=r"data\.sources is empty"):
        _ = data(folder, sources=[]).train_pairs
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty holds no image"):
        _ = data(tmp_path / "empty").train_pairs


def test_a_resumed_training_sees_the_batches_of_an_uninterrupted_one(
    folder: Path, tmp_path: Path, fit: Callable[..., Any]
):
    whole = fit(data(folder, chunk=3), tmp_path, 10).seen
    first = fit(data(folder, chunk=3), tmp_path, 5).seen
    rest = fit(data(folder, chunk=3), tmp_path, 10, str(tmp_path / "last.ckpt"))
    assert (len(whole), len(first), len(rest.seen)) == (10, 5, 5)
    for one, other in zip(whole, first + rest.seen, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert rest.validated == ["09"]
    assert not any(torch.equal(a[0], b[0]) for a, b in itertools.pairwise(whole))


def test_it_can_be_sent_to_another_process(folder: Path):
    images = data(folder)
    expected = next(images.stream(7))
    wire = pickle.dumps(images)
    assert len(wire) < 20_000
    moved = next(pickle.loads(wire).stream(7))
    assert all(torch.equal(a, b) for a, b in zip(expected, moved, strict=True))


def test_grey_files_of_a_test_set_are_known_even_beside_a_colour_file_of_their_name(folder: Path):
    (folder / "test/mine").mkdir(parents=True)
    grey = Image.open(folder / "00.png").convert("L")
    for name, image in {"a.png": Image.open(folder / "00.png"), "a.bmp": grey, "b.png": grey}.items():
        image.save(folder / "test/mine" / name)
    pairs = data(folder, test=["mine"]).test_sets["mine"]
    assert {pair.name: pair.one_channel for pair in pairs} == {"a.bmp": True, "a.png": False, "b": True}


def test_held_out_images_of_two_sources_have_names_of_their_own(folder: Path):
    (folder / "more").mkdir()
    Image.new("RGB", (60, 60)).save(folder / "more/01.png")
    sources = [{"path": ".", "files": ["01.png", "02.png"]}, {"path": "more"}]
    assert [pair.name for pair in data(folder, heldout_every=None, heldout_sources=sources).val_pairs] == [
        "./01", "./02", "more/01",
    ]  # fmt: skip
