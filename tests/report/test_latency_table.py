"""The compiler's estimates beside published latencies."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sr.report.latency_table import latency_table
from sr.report.net_facts import lr_height
from sr.report.published import published
from sr.report.record import Report
from sr.report.runs import read_run
from sr.report.table import estimates_ms, speed_table

EXPORT = {
    "hexagon": {
        "estimates": [
            {"chip": "SA8775P", "estimate_us": 865, "lower_us": 807, "upper_us": 960},
            {"chip": "SA8797P", "missing": "none for this chip"},
        ]
    }
}


@pytest.mark.parametrize(
    ("size", "scale", "expected"), [("1080p", 2, 540), ("1080p", 1.5, 720), ("540x960", 4, 540), ("?", 2, None)]
)
def test_the_height_follows_from_the_size_that_was_compiled(
    make_report: Callable[..., Report], size: str, scale: float, expected: int | None
) -> None:
    assert lr_height(make_report(config={"scale": scale, "export": {"size": size}})) == expected


def test_a_run_stands_beside_the_latencies_of_its_net_and_size(make_run: Callable[..., Path]) -> None:
    run = read_run(make_run(config={"export": {"size": "1080p"}}, export=EXPORT))
    table = latency_table([run], published())
    rows = {(row["source"], row["table"]): row for row in table.rows}
    assert set(rows) == {("QuickSRNet", "6")}, "the latencies of table 2 are about 512x512"
    row = rows["QuickSRNet", "6"]
    assert 1.5 < row["predicted_ms"] < 2.5
    assert any(note.startswith("Predicted: off by ") and "Snapdragon 8 Gen 1" in note for note in table.notes)
    assert (row["estimate_SA8775P_ms"], row["published_ms"], row["device"]) == (0.865, 2.24, "Snapdragon 8 Gen 1")
    assert "difference" not in row
    assert "estimate SA8775P ms" in [column.heading for column in table.filled_columns()]


def test_latencies_of_table_2_stand_beside_a_run_of_their_size(make_run: Callable[..., Path]) -> None:
    run = read_run(make_run(config={"export": {"size": "512x512"}}, export=EXPORT))
    (row,) = latency_table([run], published()).rows
    assert (row["table"], row["published_ms"], row["published_lr_height"]) == ("2", 1.14, 512)
    assert "about 512x512 by table 6" in row["remarks"] and "INT8 assumed" in row["remarks"]


def test_a_net_that_no_source_has_is_predicted_alone(make_run: Callable[..., Path]) -> None:
    model = {"_target_": "sr.models.quicksrnet.QuickSRNet", "f": 40, "m": 2, "residual": "none"}
    run = read_run(make_run(config={"model": model, "export": {"size": "1080p"}}))
    table = latency_table([run], published())
    (row,) = table.rows
    assert 2 < row["predicted_ms"] < 5 and "published_ms" not in row
    assert [column.heading for column in table.filled_columns()][-1] == "predicted ms, Snapdragon 8 Gen 1"
    assert any(note.startswith("Predicted: off by ") for note in table.notes)
    speed = speed_table([run])
    assert speed.rows[0]["predicted_ms"] == row["predicted_ms"]
    assert speed.notes == table.notes[1:]


def test_a_latency_whose_scale_is_unstated_is_of_x2(make_run: Callable[..., Path]) -> None:
    run = read_run(make_run(config={"scale": 4, "export": {"size": "1080p"}}, export=EXPORT))
    (row,) = latency_table([run], published()).rows
    assert "published_ms" not in row and row["lr_height"] == 270


@pytest.mark.parametrize("export", [{}, {"hexagon": {"skipped": "not on this system"}}, {"hexagon": None}])
def test_a_run_without_estimates_has_no_row(make_run: Callable[..., Path], export: dict[str, Any]) -> None:
    run = read_run(make_run(export=export))
    assert run.report is not None
    assert estimates_ms(run.report) == {}
    assert latency_table([run], published()).rows == []


def test_the_speed_table_shows_estimates_as_such(make_run: Callable[..., Path]) -> None:
    table = speed_table([read_run(make_run(export=EXPORT))])
    assert table.rows[0]["estimate_SA8775P_ms"] == 0.865
    assert "estimate SA8775P ms" in [column.heading for column in table.filled_columns()]


def test_what_engines_and_phones_took_stands_in_the_table_of_speed(make_run: Callable[..., Path]) -> None:
    engines = {
        "litert": {"latency": {"median_ms": 31.5}},
        "ai_hub": {"latency_ms": 1.234},
        "openvino": {"skipped": "no"},
    }
    table = speed_table([read_run(make_run(export={"engines": engines}))])
    headings = {column.heading: column.key for column in table.columns}
    (row,) = table.rows
    assert row[headings["litert CPU ms"]] == 31.5 and row[headings["ai_hub phone ms"]] == 1.234
    assert not any("openvino" in heading for heading in headings)


def test_a_time_on_a_phone_stands_beside_the_estimates(make_run: Callable[..., Path]) -> None:
    phone = {"name": "phone_qnn_SM8450", "latency_ms": {"median": 1.75}, "off_npu": []}
    silent = {"name": "phone_litert_X", "latency_ms": {}}
    run = read_run(make_run(config={"export": {"size": "1080p"}}, export=EXPORT | {"phones": [phone, silent]}))
    table = latency_table([run], published())
    assert {row["phone_qnn_SM8450_ms"] for row in table.rows} == {1.75}
    headings = [column.heading for column in table.filled_columns()]
    assert "phone_qnn_SM8450 ms, measured" in headings and not any("litert" in heading for heading in headings)
