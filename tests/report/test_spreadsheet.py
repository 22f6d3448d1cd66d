"""CSV for spreadsheets."""

import csv
import io

from sr.report.spreadsheet import as_csv
from sr.report.table import Column, Table


def test_a_spreadsheet_computes_no_text_and_numbers_stay_numbers() -> None:
    texts = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", " =1", "\t=1", "-0.25", "+3e5", "-inf"]
    table = Table(title="=title", columns=(Column("x", "x"),), rows=[{"x": text} for text in [*texts, -0.25, -3]])
    rows = list(csv.DictReader(io.StringIO(as_csv([table]))))
    assert {row["title"] for row in rows} == {"'=title"}
    assert [row["x"] for row in rows[:6]] == [f"'{text}" for text in texts[:6]]
    assert [row["x"] for row in rows[6:]] == ["-0.25", "+3e5", "-inf", "-0.25", "-3"]
