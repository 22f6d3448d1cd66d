"""The crop of one test image by the nets of several runs."""

import json
import re

import numpy as np
import pytest

from sr.functional.picture import save_png
from sr.report.command import main
from sr.report.panel import panel
from sr.report.runs import find_runs

ALL = ("lr", "bicubic", "float", "quantized", "hr")
SIDE = 80
SPOT = (slice(20, 40), slice(40, 60))


def keep_pictures(folder, noise, *, name="set5/bird", seed=0):
    """Write the pictures of one image; `noise` is added to what the run made, in one spot."""
    hr = np.random.default_rng(seed).integers(60, 190, (SIDE, SIDE, 3), dtype=np.uint8)
    made = hr.copy()
    made[SPOT] += np.uint8(noise)
    columns = {"nearest": hr // 2, "bicubic": hr, "float": made, "w8a8_qat": made + np.uint8(1), "hr": hr}
    set_name, image = name.split("/")
    files = {column: f"images/{set_name}_{image}/{column}.png" for column in columns}
    for column, pixels in columns.items():
        save_png(pixels, folder / files[column])
    path = folder / "images/images.json"
    layers = json.loads(path.read_text())["layers"] if path.exists() else []
    path.write_text(json.dumps({"layers": [*layers, {"set": set_name, "image": image, "files": files}]}))


@pytest.fixture
def two_runs(make_run):
    folders = [make_run(experiment="e", run=f"model_{name}") for name in "ab"]
    for noise, folder in zip((20, 40), folders, strict=True):
        keep_pictures(folder, noise)
    return folders


def drawn(place, image=None, crop=None, columns=ALL):
    return panel(find_runs([place]), image=image, crop=crop, columns=columns)


def test_the_tiles_are_the_files_of_the_runs_with_their_psnr(two_runs):
    made = drawn(two_runs[0].parent)
    assert [tile.title for tile in made.tiles] == ["LR", "bicubic", "a", "a", "b", "b", "true (HR)"]
    assert (made.box.width, made.box.height) == (SIDE // 4, SIDE // 4)
    assert made.box[:2] == (40, 20), "the crop is where the runs differ"
    truth, tile = made.image, made.tiles[2]
    assert np.array_equal(tile.pixels, truth[SPOT] + 20)
    # grey by 20 in 20 x 20 of (80 - 4)^2 pixels; luma of grey is 219 / 255 of it
    error = (20 * 219 / 255) ** 2 * 400 / 76**2
    assert tile.note == f"FP32 {10 * np.log10(255**2 / error):.2f} dB"
    assert (
        made.tiles[0].note == "nearest neighbour"
        and made.tiles[1].note == "equal"
        and made.tiles[-1].note == "PSNR-Y of the whole image"
    )
    assert made.caption == "set5: bird, x2, protocol y"


def test_a_crop_and_columns_can_be_chosen(two_runs):
    made = drawn(two_runs[0].parent, "bird", (3, 5, 24, 16), ("float", "hr"))
    assert [tile.title for tile in made.tiles] == ["a", "b", "true (HR)"]
    assert np.array_equal(made.tiles[-1].pixels, made.image[5:21, 3:27])


def test_one_run_needs_no_name(two_runs):
    assert [tile.title for tile in drawn(two_runs[0]).tiles] == ["LR", "bicubic", "FP32", "INT8", "true (HR)"]


def test_the_image_is_one_that_all_runs_kept(two_runs):
    keep_pictures(two_runs[0], 9, name="set14/zebra", seed=1)
    assert drawn(two_runs[0].parent).caption.startswith("set5: bird")
    with pytest.raises(ValueError, match=r"e/model_b kept no picture of zebra, but of set5/bird; .*names=\[zebra\]"):
        drawn(two_runs[0].parent, "zebra")


def test_an_image_in_two_sets_needs_its_set(two_runs):
    keep_pictures(two_runs[0], 9, name="set14/bird", seed=1)
    with pytest.raises(ValueError, match="is in several sets of e/model_a: set5/bird, set14/bird"):
        drawn(two_runs[0], "bird")
    assert drawn(two_runs[0], "set14/bird").caption.startswith("set14: bird")


def test_runs_of_different_sets_are_refused(make_run):
    for name, image in (("model_a", "set5/bird"), ("model_b", "set14/zebra")):
        keep_pictures(folder := make_run(experiment="e", run=name), 9, name=image)
    with pytest.raises(ValueError, match="no test image in common: e/model_a has set5/bird; e/model_b has set14/zebra"):
        drawn(folder.parent)


@pytest.mark.parametrize(("key", "value", "message"), [
    ("scale", 3, r"runs of one scale: e/model_a has x2, e/model_b has x3; name the runs of one"),
    ("protocol", "rgb", r"runs of one protocol: e/model_a has y, e/model_b has rgb"),
])  # fmt: skip
def test_runs_that_do_not_compare_are_refused(two_runs, key, value, message):
    path = two_runs[1] / "report.json"
    report = json.loads(path.read_text())
    report["config"][key] = value
    path.write_text(json.dumps(report))
    with pytest.raises(ValueError, match=message):
        drawn(two_runs[0].parent)


def test_another_truth_under_the_same_name_is_refused(make_run):
    for seed, name in enumerate(("model_a", "model_b")):
        keep_pictures(folder := make_run(experiment="e", run=name), 9, seed=seed)
    with pytest.raises(ValueError, match="the true images bird of e/model_a and e/model_b differ"):
        drawn(folder.parent)


@pytest.mark.parametrize(("settings", "message"), [
    ({"crop": (70, 0, 24, 24)}, r"--crop 70,0,24,24 is not inside bird, which has 80x80 pixels"),
    ({"crop": (0, 0, 0, 24)}, "is not inside bird"),
    ({"columns": ("hr", "loat")}, "--columns takes lr,bicubic,float,quantized,hr, got loat"),
    ({"columns": ("",)}, "--columns takes"),
])  # fmt: skip
def test_wrong_choices_are_refused(two_runs, settings, message):
    with pytest.raises(ValueError, match=message):
        drawn(two_runs[0].parent, **settings)


def test_runs_without_pictures_are_named(two_runs, make_run):
    make_run(experiment="e", run="model_c")
    with pytest.raises(ValueError, match=r"e/model_c kept no pictures that can be read; .*redo=\[images\]"):
        drawn(two_runs[0].parent)
    with pytest.raises(ValueError, match="no run is finished"):
        panel([], image=None, crop=None, columns=ALL)


def test_the_command_writes_both_files_or_none(two_runs, tmp_path, capsys):
    place = str(two_runs[0].parent)
    assert main([place, "--panel", str(tmp_path / "p.png"), "--image", "nobody"]) == 1
    assert re.match(r"Error: e/model_a kept no picture of nobody.*\n$", capsys.readouterr().err)
    assert not list(tmp_path.glob("p.*"))
    assert main([place, "--panel", str(tmp_path / "p.png")]) == 0
    assert sorted(path.name for path in tmp_path.glob("p.*")) == ["p.png", "p.svg"]
    assert str(tmp_path / "p.svg") in capsys.readouterr().err
