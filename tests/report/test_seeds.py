"""Folding runs that differ only in their seed."""

import copy
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sr.report.record import Report
from sr.report.runs import read_run
from sr.report.seeds import Spread, fold
from sr.report.table import quality_tables

Make = Callable[..., Report]


def seeded(make_report: Make, seed: int, **config: Any) -> Report:
    base = copy.deepcopy(make_report().config)
    base["quantization"]["stages"]["qat"]["seed"] = seed
    return make_report(config=base | {"seed": seed, "machine": {"threads": seed}} | config)


def test_seed_and_machine_do_not_tell_groups_apart_but_settings_do(make_report: Make) -> None:
    assert seeded(make_report, 0).group == seeded(make_report, 7).group
    assert seeded(make_report, 0).group != seeded(make_report, 0, protocol="rgb").group
    assert make_report().group != make_report(experiment="other").group


def test_mean_and_deviation_of_what_differs(make_run: Callable[..., Path]) -> None:
    psnrs = (31.0, 31.2, 31.4)
    runs = []
    for seed, psnr_db in enumerate(psnrs):
        quality = {"float": {"set5": {"psnr_y_db": psnr_db, "ssim_y": 0.9, "num_images": 5, "protocol": "y"}}}
        runs.append(read_run(make_run(run=f"m_5-seed_{seed}", config={"seed": seed}, quality=quality)))
    (table,) = quality_tables(runs, fold_seeds=True)
    (row,) = table.rows
    assert (row["run"], row["num_seeds"], row["parameters"]) == ("m_5", 3, 22860)
    assert row["float_psnr_y_db"] == Spread(pytest.approx(31.2), pytest.approx(statistics.stdev(psnrs)))
    assert len(quality_tables(runs)[0].rows) == 3


def test_a_text_that_differs_is_left_out_and_one_run_stays_as_it_is() -> None:
    rows = [
        {"group": "a", "run": "seed_0", "precision": "bf16", "x": 1.0},
        {"group": "a", "run": "seed_1", "precision": "fp32", "x": None},
        {"group": "b", "run": "other", "precision": "fp32", "x": 2.0},
    ]
    first, second = fold(rows)
    assert (first["precision"], first["x"], first["run"]) == (None, 1.0, "seed_0")
    assert second == rows[2] | {"num_seeds": 1}


def test_an_infinite_psnr_of_one_seed_folds_without_a_deviation() -> None:
    (row,) = fold([{"group": "a", "x": 31.0}, {"group": "a", "x": float("inf")}])
    assert f"{row['x']:.2f}" == "inf"


def test_what_is_no_runs_folds_without_a_name() -> None:
    (row,) = fold([{"group": "bicubic", "ours": 29.5}, {"group": "bicubic", "ours": 29.7}])
    assert row == {"group": "bicubic", "ours": Spread(29.6, pytest.approx(0.2 / 2**0.5)), "num_seeds": 2}


def test_a_spread_is_written_in_the_form_of_its_column() -> None:
    assert f"{Spread(31.204, 0.0213):.2f}" == "31.20 +- 0.02"
    assert f"{Spread(-0.05, 0.011):+.2f}" == "-0.05 +- 0.01"
    assert f"{Spread(1500.0, 20.0):,d}" == "1,500 +- 20.0"
