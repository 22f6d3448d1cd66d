"""Pictures of run folders."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr.dashboard.command import main
from sr.dashboard.pictures import Budget, pictures
from sr.functional.picture import save_png, side_by_side
from sr.report.runs import find_runs

MakeRun = Callable[..., Path]


def shown(tmp_path: Path, side: int = 0, bytes_left: int = 10**9) -> tuple[list[dict], Budget]:
    budget = Budget(left=bytes_left)
    return pictures(find_runs([tmp_path]), side=side, budget=budget), budget


def pixels(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))


def test_the_bytes_in_the_page_are_those_of_the_run(
    tmp_path: Path, make_run: MakeRun, make_pictures: Callable[..., None]
) -> None:
    for index, name in enumerate(("model_a", "model_b")):
        make_pictures(make_run(run=name), noise=30 * index)
    (entry,), _ = shown(tmp_path)
    assert (entry["id"], entry["size"]) == ("set5/bird-x2", [96, 96])
    assert [(layer["run"], layer["column"]) for layer in entry["layers"]] == [
        (f"nets/model_{name}", column) for name in "ab" for column in ("float", "w8a8_ptq")
    ]
    made = np.asarray(Image.open(tmp_path / "nets/model_b/images/set5_bird/float.png"))
    assert np.array_equal(pixels(entry["layers"][2]["url"]), made)
    x, y, side = entry["spots"][0]
    assert x <= 60 and x + side >= 76 and y <= 20 and y + side >= 36


def test_crops_of_older_runs_are_cut_apart(tmp_path: Path, make_run: MakeRun) -> None:
    folder = make_run()
    columns = [np.full((40, 40, 3), value, np.uint8) for value in (10, 20, 30, 40, 50)]
    save_png(side_by_side(*columns), folder / "images/set14_zebra.png")
    names = ["nearest", "bicubic", "float", "w8a8_qat", "hr"]
    (folder / "images/images.json").write_text(json.dumps({"files": ["images/set14_zebra.png"], "columns": names}))
    (entry,), _ = shown(tmp_path)
    assert entry["id"] == "set14/zebra-x2"
    assert [int(pixels(layer["url"]).mean()) for layer in entry["layers"]] == [30, 40]
    assert np.array_equal(pixels(entry["shared"]["hr"]), columns[4])


def test_what_does_not_fit_is_named(tmp_path: Path, make_run: MakeRun, make_pictures: Callable[..., None]) -> None:
    make_pictures(make_run(), noise=30)
    (whole,), _ = shown(tmp_path)
    common = sum(map(len, whole["shared"].values()))
    (entry,), budget = shown(tmp_path, bytes_left=common + 10)
    assert len(entry["layers"]) == 1
    assert budget.omitted == ["nets/model_a: set5/bird-x2"]
    for bytes_left in (0, 10):  # LR, bicubic and HR count, and are of no use alone
        entries, budget = shown(tmp_path, bytes_left=bytes_left)
        assert entries == [] and budget.omitted == ["nets/model_a: set5/bird-x2"] * 2


@pytest.mark.parametrize(("scale", "block"), [(1.5, 3), (2, 2), (4, 4)])
def test_a_grid_has_the_period_of_the_nets_blocks(
    tmp_path: Path, make_run: MakeRun, make_pictures: Callable[..., None], scale: float, block: int
) -> None:
    folder = make_run()
    make_pictures(folder, noise=30)
    report = json.loads((folder / "report.json").read_text())
    report["config"]["scale"] = scale
    (folder / "report.json").write_text(json.dumps(report))
    (entry,), _ = shown(tmp_path)
    assert (entry["scale"], entry["block"]) == (scale, block)


@pytest.mark.parametrize("options", [["--picture-mib", "inf"], ["--picture-mib", "nan"], ["--side", "-5"]])
def test_sizes_that_are_none_are_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(options) == 1
    assert "number of at least 0 is needed" in capsys.readouterr().err


def test_files_outside_of_the_run_and_torn_ones_are_passed_over(
    tmp_path: Path, make_run: MakeRun, make_pictures: Callable[..., None]
) -> None:
    outside = tmp_path / "secret.png"
    save_png(np.zeros((8, 8, 3), np.uint8), outside)
    folder = make_run()
    (folder / "images").mkdir()
    layers = [{"set": "s", "image": "i", "files": {"hr": "../../secret.png", "float": "../../secret.png"}}]
    (folder / "images/images.json").write_text(json.dumps({"layers": layers}))
    torn = make_run(run="model_torn")
    make_pictures(torn, noise=0)
    (torn / "images/set5_bird/float.png").write_bytes(b"\x89PNG")
    assert shown(tmp_path)[0] == []


def test_pictures_of_another_truth_are_kept_apart(
    tmp_path: Path, make_run: MakeRun, make_pictures: Callable[..., None]
) -> None:
    make_pictures(make_run(run="model_a"), noise=0)
    make_pictures(make_run(run="model_b"), noise=0, side=64)
    entries, _ = shown(tmp_path)
    assert [entry["id"] for entry in entries] == ["set5/bird-x2", "set5/bird-x2#2"]
    assert [{layer["run"] for layer in entry["layers"]} for entry in entries] == [{"nets/model_a"}, {"nets/model_b"}]
