"""The four forms of a table, with hostile names in it."""

import csv
import io
import json

import pytest
from rich.console import Console

from sr.report.render import TABLE_FORMATS, cell, print_tables
from sr.report.seeds import Spread
from sr.report.table import Column, Table

HOSTILE = "x[red]|<script>\n=1`*"
COLUMNS = (
    Column("run", "run"),
    Column("psnr", "PSNR", ".2f"),
    Column("empty", "never filled", ".2f"),
    Column("why", "remarks", footnote=True),
)
TABLE = Table(
    title="Set5 [bold]x2",
    columns=COLUMNS,
    rows=[
        {"run": HOSTILE, "psnr": Spread(36.551, 0.071), "group": "not shown"},
        {"run": "m_2", "psnr": 36.5049, "why": "a remark that is long"},
        {"run": "m_3", "psnr": None, "why": "a remark that is long"},
    ],
    notes=["one note"],
)


def shown(form: str, tables: list[Table], width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_tables(tables, form, console)
    return console.file.getvalue()


def test_text_shows_names_as_they_are_and_long_remarks_below() -> None:
    text = shown("text", [TABLE])
    assert "Set5 [bold]x2" in text
    assert "x[red]|<script>" in text
    assert "36.55 +- 0.07" in text
    assert text.count("a remark that is long") == 1
    assert text.count("[1]") == 3
    assert "one note" in text
    assert "never filled" not in text


def test_a_narrow_terminal_loses_no_number() -> None:
    columns = [Column("run", "run"), *(Column(f"c{i}", f"a heading of column {i}", ".4f") for i in range(20))]
    row = {"run": "name", **{f"c{i}": 1000.0 + i for i in range(20)}}
    text = shown("text", [Table(title="wide", columns=tuple(columns), rows=[row])], width=40)
    assert "name" in text
    assert all(f"{1000 + i}.0000" in text for i in range(20))


def test_markdown_keeps_one_row_a_line() -> None:
    lines = shown("markdown", [TABLE]).splitlines()
    assert lines[0] == r"**Set5 \[bold\]x2**"
    assert lines[2:4] == ["| run | PSNR | remarks |", "| --- | ---: | --- |"]
    assert lines[4] == r"| x\[red\]\|\<script\> =1\`\* | 36.55 +- 0.07 | - |"
    assert lines[6] == "| m_3 | - | a remark that is long |"


def test_csv_is_unrounded_and_splits_spreads() -> None:
    other = Table(title="other", columns=(Column("run", "run"), Column("x", "x")), rows=[{"run": "m_4", "x": 1}])
    rows = list(csv.DictReader(io.StringIO(shown("csv", [TABLE, other]))))
    assert [row["title"] for row in rows] == ["Set5 [bold]x2"] * 3 + ["other"]
    assert (rows[0]["run"], rows[0]["psnr"], rows[0]["psnr_std"]) == (HOSTILE, "36.551", "0.071")
    assert (rows[1]["psnr"], rows[1]["psnr_std"], rows[3]["x"]) == ("36.5049", "", "1")


def test_a_column_that_is_called_table_does_not_take_the_place_of_the_title() -> None:
    source = Table(title="Set5 x2", columns=(Column("table", "table"),), rows=[{"table": "S1"}])
    (row,) = csv.DictReader(io.StringIO(shown("csv", [source])))
    assert row == {"title": "Set5 x2", "table": "S1"}


def test_json_holds_everything() -> None:
    (table,) = json.loads(shown("json", [TABLE]))
    assert table["columns"] == {"run": "run", "psnr": "PSNR", "why": "remarks"}
    assert table["rows"][0] == {"run": HOSTILE, "psnr": {"mean": 36.551, "std": 0.071}, "why": None}
    assert table["notes"] == ["one note"]


@pytest.mark.parametrize("form", TABLE_FORMATS)
def test_nothing_from_a_file_can_steer_a_terminal(form: str) -> None:
    evil = "\x1b]0;owned\x07\x9b2J\u202e[red]x[/red]"
    columns = (Column("run", f"run{evil}"), Column("n", "n", ".2f"), Column("why", "why", footnote=True))
    row = {"run": evil, "n": evil, "why": f"a long remark {evil}"}
    text = shown(form, [Table(title=evil, columns=columns, rows=[row], notes=[evil])], width=400)
    assert not set("\x1b\x07\x9b\u202e") & set(text)
    assert "owned" in text and (form in ("markdown", "latex") or "[red]x[/red]" in text)


@pytest.mark.parametrize("form", TABLE_FORMATS)
def test_a_table_without_rows_is_not_shown(form: str) -> None:
    assert "Set5" not in shown(form, [Table(title="Set5", columns=COLUMNS, rows=[])])


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="text, markdown, latex, csv, json, got 'html'"):
        shown("html", [TABLE])


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [(None, ".2f", "-"), (1.005, ".1f", "1.0"), (22860, ",d", "22,860"), (-0.001, "+z.2f", "+0.00"), ("?", ",d", "?")],
)
def test_a_cell_follows_its_column_or_stays_as_it_is(value: object, form: str, expected: str) -> None:
    assert cell(value, Column("key", "heading", form)) == expected


def test_latex_is_a_tabular_whose_names_are_no_commands() -> None:
    hostile = Table(title="T", columns=COLUMNS, rows=[{"run": r"a_b\input{x} 5%", "psnr": Spread(36.55, 0.07)}])
    text = shown("latex", [hostile])
    assert text.startswith("% T\n\\begin{tabular}{lr}\n\\toprule\nrun & PSNR \\\\\n\\midrule\n")
    assert r"a\_b\textbackslash{}input\{x\} 5\% & 36.55 $\pm$ 0.07 \\" in text
    assert text.endswith("\\bottomrule\n\\end{tabular}\n")
