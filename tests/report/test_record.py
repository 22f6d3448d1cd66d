"""`report.json`: round trip, what is refused, and what a broken file is told to be."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sr.report.record import REPORT_NAME, Report, is_finished, psnr_key, read_report, ssim_key, write_report
from sr.report.runs import read_run

Make = Callable[..., Report]


def test_a_report_comes_back_as_it_was(tmp_path: Path, make_report: Make) -> None:
    report = make_report()
    path = write_report(report, tmp_path)
    assert path == tmp_path / REPORT_NAME
    assert read_report(path) == report
    assert report.scale == 2.0
    assert report.status == "finished"
    assert [file.name for file in tmp_path.iterdir()] == [REPORT_NAME]


def test_numbers_of_numpy_and_torch_become_plain(tmp_path: Path, make_report: Make) -> None:
    cost = {"macs_g": np.float64(1.5), "parameters": torch.tensor(3), "tile": (np.int64(8), Path("a") / "b")}
    write_report(make_report(cost=cost), tmp_path)
    assert read_report(tmp_path / REPORT_NAME).cost == {"macs_g": 1.5, "parameters": 3, "tile": [8, "a/b"]}


def test_the_infinite_psnr_of_equal_images_is_valid_json(tmp_path: Path, make_report: Make) -> None:
    quality = {"float": {"set5": {"psnr_y_db": math.inf, "ssim_y": 1.0, "num_images": 1, "protocol": "y"}}}
    path = write_report(make_report(quality=quality), tmp_path)
    json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert float(read_report(path).quality["float"]["set5"]["psnr_y_db"]) == math.inf


def test_what_is_not_plain_is_named(tmp_path: Path, make_report: Make) -> None:
    with pytest.raises(ValueError, match=r"got Tensor at cost\.weights\[1\]"):
        write_report(make_report(cost={"weights": [0, torch.zeros(2)]}), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "score",
    [
        {"psnr_y_db": 30.0, "num_images": 5},
        {"psnr": 30.0, "num_images": 5, "protocol": "y"},
        {"psnr_y_db": 30.0, "protocol": "y"},
        {"psnr_y_db": "thirty", "num_images": 5, "protocol": "y"},
        {"psnr_y_db": 30.0, "ssim_y": None, "num_images": 5, "protocol": "y"},
    ],
)
def test_a_score_must_say_what_it_is(make_report: Make, score: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"quality\.float\.set5"):
        make_report(quality={"float": {"set5": score}})


def test_a_report_needs_a_scale(make_report: Make) -> None:
    with pytest.raises(ValueError, match=r"config\.scale is a number above 0, got null"):
        make_report(config={"scale": None})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("\udc80", "is not JSON"),
        ("[]", "holds a list"),
        ('{"schema_version": 99}', "schema_version 99, this code reads 1"),
        ('{"schema_version": 1}', "missing .*'quality'"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / REPORT_NAME
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(ValueError, match=rf"{REPORT_NAME}.*{message}"):
        read_report(path)


@pytest.mark.parametrize("change", [{"quality": []}, {"quality": {"float": 3}}, {"stage_seconds": {"x": "long"}}])
def test_a_field_of_the_wrong_kind_is_named(tmp_path: Path, make_report: Make, change: dict[str, Any]) -> None:
    path = write_report(make_report(), tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=REPORT_NAME):
        read_report(path)


def test_the_names_of_other_channels_are_found() -> None:
    assert psnr_key({"psnr_rgb_db": 1.0}) == "psnr_rgb_db"
    assert ssim_key({"ssim_rgb": 1.0}) == "ssim_rgb"
    assert psnr_key({"psnr": 1.0}) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema_version": 1}', "[" * 100_000])
def test_an_empty_or_torn_report_is_no_finished_run_for_anybody(tmp_path: Path, text: str) -> None:
    assert not is_finished(tmp_path)
    (tmp_path / REPORT_NAME).write_text(text)
    assert not is_finished(tmp_path)
    assert read_run(tmp_path).status == "broken"
    with pytest.raises(ValueError, match=r"report\.json"):
        read_report(tmp_path / REPORT_NAME)


@pytest.mark.parametrize(
    ("key", "value"),
    [("quantization", "w8a8"), ("model", ["x"]), ("task", 5), ("data", "x"), ("export", True), ("init", 5)]
    + [("scale", value) for value in ("2", True, 0, -1, float("inf"))],
)
def test_a_config_of_other_kinds_is_told_as_broken_and_breaks_no_reader(
    tmp_path: Path, make_run: Callable[..., Path], key: str, value: object
) -> None:
    folder = make_run()
    content = json.loads((folder / REPORT_NAME).read_text())
    content["config"][key] = value
    (folder / REPORT_NAME).write_text(json.dumps(content))
    run = read_run(folder)
    assert run.status == "broken" and f"config.{key} is " in run.error
