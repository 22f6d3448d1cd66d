"""Tables of runs: what stands in which table, and what never stands together."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sr.report.runs import read_run
from sr.report.table import quality_tables, speed_table, status_table

MakeRun = Callable[..., Path]


def score(psnr_db: float, protocol: str = "y", channel: str = "y") -> dict[str, Any]:
    return {f"psnr_{channel}_db": psnr_db, f"ssim_{channel}": 0.9, "num_images": 5, "protocol": protocol}


def test_one_table_for_each_set_with_the_runs_as_rows(make_run: MakeRun) -> None:
    runs = [read_run(make_run(run=name)) for name in ("m_1", "m_2")]
    set5, bsd100 = quality_tables(runs)
    assert set5.title == "set5 x2, protocol y: PSNR in dB"
    assert [row["run"] for row in set5.rows] == ["m_1", "m_2"]
    headings = [column.heading for column in bsd100.filled_columns()]
    assert headings == [
        "run", "bicubic", "float", "SSIM", "simulated", "- float", "all params", "GMAC", "iterations", "budget",
    ]  # fmt: skip
    row = bsd100.rows[0]
    assert (row["float_psnr_y_db"], row["float_ssim_y"], row["parameters"]) == (31.20, 0.8890, 22860)
    assert row["simulated_minus_float_db"] == pytest.approx(-0.05)


def test_protocols_scales_and_sets_are_kept_apart(make_run: MakeRun) -> None:
    places = [
        make_run(run="y", quality={"float": {"set5": score(37)}}),
        make_run(run="y_only", quality={"float": {"set5": score(36.9, "y_only")}}),
        make_run(run="rgb", quality={"float": {"set5": score(35, "rgb", "rgb")}}),
        make_run(run="x4", config={"scale": 4}, quality={"float": {"set5": score(31)}}),
        make_run(run="both", quality={"float": {"set5": score(37.2), "set14": score(33)}}),
    ]
    rows = {table.title: [row["run"] for row in table.rows] for table in quality_tables([read_run(p) for p in places])}
    assert rows == {
        "set5 x2, protocol y: PSNR in dB": ["y", "both"],
        "set5 x2, protocol y_only: PSNR in dB": ["y_only"],
        "set5 x2, protocol rgb: PSNR in dB": ["rgb"],
        "set5 x4, protocol y: PSNR in dB": ["x4"],
        "set14 x2, protocol y: PSNR in dB": ["both"],
    }


def test_stages_stand_in_the_order_of_the_way_to_the_phone(make_run: MakeRun) -> None:
    stages = ("htp_v73", "something_new", "onnxruntime", "simulated", "htp_v69", "float", "bicubic")
    run = read_run(make_run(quality={stage: {"set5": score(30)} for stage in stages}))
    headings = [column.heading for column in quality_tables([run])[0].filled_columns()]
    shown = [heading for heading in headings if heading.replace(" ", "_") in stages]
    assert shown == ["bicubic", "float", "simulated", "onnxruntime", "htp v69", "htp v73", "something new"]


def test_experiments_are_named_when_there_are_several(make_run: MakeRun) -> None:
    runs = [read_run(make_run(experiment=name)) for name in ("one", "two")]
    assert [row["experiment"] for row in quality_tables(runs)[0].rows] == ["one", "two"]
    assert "experiment" not in quality_tables(runs[:1])[0].rows[0]


def test_speed_is_independent_of_sets(make_run: MakeRun) -> None:
    row = speed_table([read_run(make_run())]).rows[0]
    assert row["iterations_per_second"] == 50.0
    assert row["latency_torch_cpu_ms"] == 246.0
    assert row["total_seconds"] == 80.0


def test_runs_without_a_report_are_listed_with_the_reason(tmp_path: Path, make_run: MakeRun) -> None:
    make_run(run="done")
    (tmp_path / "main" / "torn").mkdir()
    (tmp_path / "main" / "torn" / "report.json").write_text("{")
    runs = [read_run(tmp_path / "main" / name) for name in ("done", "torn")]
    table = status_table(runs)
    assert [(row["run"], row["status"]) for row in table.rows] == [("torn", "broken")]
    assert "report.json is not JSON" in table.rows[0]["error"]
    assert [row["run"] for row in quality_tables(runs)[0].rows] == ["done"]


def test_an_image_that_equals_its_reference_is_named_and_breaks_no_difference(make_run: MakeRun) -> None:
    images = [{"name": "black", "psnr_y_db": math.inf}, {"name": "p2", "psnr_y_db": 31.0}]
    both = score(math.inf) | {"per_image": images}
    sets = {"float": {"set5": both, "set14": score(30)}, "simulated": {"set5": both, "set14": score(30)}}
    set5, set14 = quality_tables([read_run(make_run(quality=sets))])
    assert set5.notes == [
        "The output for black equals the reference (a flat image?), so the set's mean PSNR is infinite."
    ]
    assert set5.rows[0]["simulated_minus_float_db"] == 0 and not set14.notes
