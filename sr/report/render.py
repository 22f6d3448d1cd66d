"""Write tables to the screen, or as Markdown, LaTeX, CSV or JSON."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console, Group
from rich.segment import Segment, Segments
from rich.table import Table as ScreenTable
from rich.text import Text

from sr.report.record import plain_values
from sr.report.seeds import Spread
from sr.report.spreadsheet import as_csv
from sr.report.table import Column, Table
from sr.runs.screen_text import printable

TABLE_FORMATS = ("text", "markdown", "latex", "csv", "json")
ABSENT = "-"
FOOTNOTE_LENGTH = 12
"""Longer texts of a footnote column stand under the table."""
UNBOUNDED = 10_000
COLUMN_GAP = 2
"""Spaces between two columns."""
WRAPPED_LENGTH = 24
"""Shorter cells are never broken; headings are, between words."""


def cell(value: Any, column: Column) -> str:
    """Write a value as its column asks; a value of another kind is written as it is, a missing one as "-".

    Nothing in the text can steer a terminal.
    """
    if value is None or value == "nan" or (isinstance(value, float) and math.isnan(value)):
        return ABSENT
    try:
        return printable(format(value, column.format))
    except (TypeError, ValueError):
        return printable(str(value))


def print_tables(tables: Sequence[Table], form: str, console: Console) -> None:
    """Print tables.

    Args:
        tables: What to print; a table without rows is passed over.
        form: One of `FORMATS`.
        console: Where to.

    Raises:
        ValueError: for another form.
    """
    if form not in TABLE_FORMATS:
        raise ValueError(f"the formats are {', '.join(TABLE_FORMATS)}, got {form!r}")
    filled = [_printable(table) for table in tables if table.rows]
    if form == "text":
        for table in filled:
            console.print(screen(table, console), crop=False)
            console.print()
        return
    text = {"markdown": markdown, "latex": latex, "csv": as_csv, "json": as_json}[form](filled)
    console.file.write(text)


def _printable(table: Table) -> Table:
    """Return a table whose title, headings and notes cannot steer a terminal; `cell` sees to the rest."""
    return replace(
        table,
        title=printable(table.title),
        columns=tuple(column._replace(heading=printable(column.heading)) for column in table.columns),
        notes=[printable(note) for note in table.notes],
    )


def screen(table: Table, console: Console) -> Group:
    """Make the table for a terminal. Names come from folders, so nothing in them is read as markup."""
    columns, footnotes = table.filled_columns(), list[str]()
    texts = [
        [
            _on_screen(cell(row.get(column.short) or row.get(column.key), column), column, footnotes)
            for column in columns
        ]
        for row in table.rows
    ]
    below = [f"[{number}] {text}" for number, text in enumerate(footnotes, 1)]
    body = _laid_out(table.title, columns, texts, console.width) or _wrapped(table.title, columns, texts, console)
    return Group(body, *(Text(text, style="dim") for text in (*below, *table.notes)))


def _laid_out(title: str, columns: Sequence[Column], texts: list[list[str]], width: int) -> Group | None:
    """Lay out a table whose rows fit into a line each, a hundred times as fast as rich does; None if they do not."""
    lines = [[column.heading for column in columns], *texts]
    widths = [max(map(cell_len, in_column)) for in_column in zip(*lines, strict=True)]
    if sum(widths) + COLUMN_GAP * len(widths) > width or any("\n" in text for line in lines for text in line):
        return None
    spaces = [[" " * (wide - cell_len(text)) for wide, text in zip(widths, line, strict=True)] for line in lines]
    rows = [
        " "
        + "  ".join(
            gap + text if column.format else text + gap for column, gap, text in zip(columns, *line, strict=True)
        )
        for line in zip(spaces, lines, strict=True)
    ]
    rule = " " + "\N{BOX DRAWINGS LIGHT HORIZONTAL}" * (sum(widths) + COLUMN_GAP * (len(widths) - 1))
    head = Text(f"{title}\n\n{rows[0]}", style="bold", no_wrap=True, overflow="ignore")
    return Group(head, Segments([Segment("\n".join([rule, *(row.rstrip() for row in rows[1:])]) + "\n\n")]))


def _wrapped(title: str, columns: Sequence[Column], texts: list[list[str]], console: Console) -> ScreenTable:
    """Lay out a table whose cells must be broken into lines."""
    made = ScreenTable(
        title=Text(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for column, in_column in zip(columns, zip(*texts, strict=True), strict=True):
        side: Literal["left", "right"] = "right" if column.format else "left"
        longest = max(map(cell_len, [*in_column, *column.heading.split()]))
        made.add_column(Text(column.heading), justify=side, min_width=min(longest, WRAPPED_LENGTH), overflow="fold")
    for line in texts:
        made.add_row(*map(Text, line))
    # A terminal too narrow for the numbers wraps the lines; it must not lose a column.
    least = console.measure(made, options=console.options.update(max_width=UNBOUNDED)).minimum
    made.width = least if least > console.width else None
    return made


def _on_screen(text: str, column: Column, footnotes: list[str]) -> str:
    """Return the text of a cell, or the number of its footnote, which is added if it is new."""
    if not column.footnote or len(text) <= FOOTNOTE_LENGTH:
        return text
    if text not in footnotes:
        footnotes.append(text)
    return f"[{footnotes.index(text) + 1}]"


def markdown(tables: Sequence[Table]) -> str:
    """Write tables for a README."""
    parts = []
    for table in tables:
        columns = table.filled_columns()
        lines = [
            [column.heading for column in columns],
            ["---:" if column.format else "---" for column in columns],
            *([cell(row.get(column.key), column) for column in columns] for row in table.rows),
        ]
        body = "\n".join("| " + " | ".join(_escaped(text) for text in line) + " |" for line in lines)
        notes = "".join(f"\n{_escaped(note)}\n" for note in table.notes)
        parts.append(f"**{_escaped(table.title)}**\n\n{body}\n{notes}")
    return "\n".join(parts)


def _escaped(text: str) -> str:
    """Keep a text from ending a Markdown cell or starting markup of its own."""
    for character in "\\|<>`*[]":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


def latex(tables: Sequence[Table]) -> str:
    """Write tables for a paper: `tabular`s with the rules of the package booktabs, each below its title."""
    parts = []
    for table in tables:
        columns = table.filled_columns()
        lines = [
            [column.heading for column in columns],
            *([cell(row.get(column.key), column).replace("+-", "\x00") for column in columns] for row in table.rows),
        ]
        heading, *rows = [" & ".join(_escaped_latex(text) for text in line) + r" \\" for line in lines]
        sides = "".join("r" if column.format else "l" for column in columns)
        notes = "".join(f"% {' '.join(note.split())}\n" for note in table.notes)
        body = "\n".join([r"\toprule", heading, r"\midrule", *rows, r"\bottomrule"])
        title = " ".join(table.title.split())
        parts.append(f"% {title}\n{notes}\\begin{{tabular}}{{{sides}}}\n{body}\n\\end{{tabular}}\n")
    return "\n".join(parts)


LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "\x00": r"$\pm$",
}


def _escaped_latex(text: str) -> str:
    """Keep a text from being a command."""
    return " ".join("".join(LATEX.get(character, character) for character in text).split())


def as_json(tables: Sequence[Table]) -> str:
    """Write tables as a JSON list of {title, columns, rows, notes}; a spread becomes {mean, std}."""
    content = [
        {
            "title": table.title,
            "columns": {column.key: column.heading for column in table.filled_columns()},
            "rows": [_jsonable(row, table.filled_columns()) for row in table.rows],
            "notes": table.notes,
        }
        for table in tables
    ]
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _jsonable(row: dict[str, Any], columns: Sequence[Column]) -> dict[str, Any]:
    """Return the values of a row that are columns."""
    values = {column.key: row.get(column.key) for column in columns}
    spreads = {key: value._asdict() for key, value in values.items() if isinstance(value, Spread)}
    return plain_values(values | spreads, "row")
