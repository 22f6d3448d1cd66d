"""Equal images have an infinite PSNR: every reader shows it, or leaves it out of a drawing."""

from collections.abc import Callable
from pathlib import Path

from sr.report.comparison import comparison_tables
from sr.report.plane import points
from sr.report.published import published
from sr.report.render import cell
from sr.report.runs import find_runs
from sr.report.table import Column, quality_tables

MakeRun = Callable[..., Path]


def scored(psnr_db: float) -> dict[str, dict[str, object]]:
    return {"set5": {"psnr_y_db": psnr_db, "ssim_y": 1.0, "niqe": 4.0, "num_images": 5, "protocol": "y"}}


def test_tables_show_it_and_drawings_leave_it_out(tmp_path: Path, make_run: MakeRun) -> None:
    make_run(run="equal", quality={"float": scored(float("inf")), "simulated": scored(float("inf"))})
    make_run(run="other", quality={"float": scored(36.5), "simulated": scored(36.4)})
    runs = find_runs([tmp_path])
    for folded in (False, True):
        (table,) = quality_tables(runs, fold_seeds=folded)
        shown = {column.key: [cell(row.get(column.key), column) for row in table.rows] for column in table.columns}
        assert "inf" in shown["float_psnr_y_db"][0]
        assert "nan" not in "".join(text for texts in shown.values() for text in texts)
        assert comparison_tables(runs, published(), fold_seeds=folded)
    assert {point.psnr_db for panel in points(runs).values() for point in panel} == {36.5, 36.4}


def test_a_missing_number_is_told_as_missing() -> None:
    assert [cell(value, Column("x", "x", ".2f")) for value in (None, "nan", float("nan"))] == ["-"] * 3
