"""Runs as rows: protocols apart, seeds folded, names short."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sr.dashboard.rows import slices
from sr.report.run_labels import labels
from sr.report.runs import find_runs

MakeRun = Callable[..., Path]


def test_protocols_and_sets_never_share_a_slice(tmp_path: Path, make_run: MakeRun) -> None:
    make_run(run="model_a")
    make_run(run="model_a-protocol_rgb", protocol="rgb", psnr=29.0)
    found = slices(find_runs([tmp_path]))
    assert [each.id for each in found] == ["set5-x2-y", "bsd100-x2-y", "set5-x2-rgb", "bsd100-x2-rgb"]
    assert [[row["run"] for row in each.rows] for each in found[::2]] == [["model_a"], ["model_a-protocol_rgb"]]


def test_seeds_become_mean_and_deviation_and_other_settings_do_not(tmp_path: Path, make_run: MakeRun) -> None:
    for seed, psnr in ((0, 31.0), (1, 31.2)):
        make_run(run=f"model_a-seed_{seed}", seed=seed, psnr=psnr)
    make_run(run="model_b", m=5, psnr=32.0)
    folded = slices(find_runs([tmp_path]))[0].folded
    assert [row["label"] for row in folded] == ["a", "b"]
    assert folded[0]["float_psnr_y_db"] == pytest.approx(31.1)
    assert folded[0]["float_psnr_y_db_std"] == pytest.approx(0.2 / 2**0.5)
    assert folded[0]["members"] == ["nets/model_a-seed_0", "nets/model_a-seed_1"]
    assert "float_psnr_y_db_std" not in folded[1]
    assert folded[1]["drop_psnr_y_db"] == pytest.approx(0.1)


def test_a_loss_counts_as_a_drop_where_less_is_better(
    tmp_path: Path, make_run: MakeRun, make_score: Callable[..., dict[str, Any]]
) -> None:
    quality = {"float": {"set5": make_score(31.0, niqe=4.0)}, "simulated": {"set5": make_score(30.9, niqe=4.5)}}
    make_run(quality=quality)
    (row,) = slices(find_runs([tmp_path]))[0].rows
    assert (row["float_niqe"], row["drop_niqe"]) == (4.0, pytest.approx(0.5))


def test_published_points_are_of_the_same_case(tmp_path: Path, make_run: MakeRun) -> None:
    make_run()
    by_set = {each.set: each.reference_points for each in slices(find_runs([tmp_path]))}
    assert by_set["set5"] == []
    small = [point for point in by_set["bsd100"] if point["label"] == "f32-m2"]
    assert [(point["quality"], point["ms"], point["precision"]) for point in small] == [(31.58, 1.14, "INT8")]


def test_labels_say_the_net_and_what_differs(tmp_path: Path, make_run: MakeRun) -> None:
    for name in ("model_a-scale_2-seed_0", "model_a-scale_2-seed_1", "model_b-scale_2-seed_0"):
        make_run(run=name)
    make_run("other", "model_b")
    assert labels(find_runs([tmp_path])) == {
        "nets/model_a-scale_2-seed_0": "a seed_0",
        "nets/model_a-scale_2-seed_1": "a seed_1",
        "nets/model_b-scale_2-seed_0": "b seed_0",
        "other/model_b": "b",
    }


def test_labels_that_would_be_equal_are_whole(tmp_path: Path, make_run: MakeRun) -> None:
    make_run("one", "model_a")
    make_run("two", "model_a")
    assert list(labels(find_runs([tmp_path])).values()) == ["one/model_a", "two/model_a"]
