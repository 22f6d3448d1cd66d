"""Tables as CSV without formulas for spreadsheets."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from sr.report.seeds import Spread
from sr.report.table import Column, Table
from sr.runs.screen_text import printable

FORMULA = ("=", "+", "-", "@")
"""How a text begins that spreadsheets compute."""


def as_csv(tables: Sequence[Table]) -> str:
    """Write all tables as one CSV with the table's title in front and a `_std` column beside each spread, unrounded.

    A spreadsheet takes no text for a formula.
    """
    rows = [
        {"title": _in_spreadsheet(table.title), **_flat(row, table.filled_columns())}
        for table in tables
        for row in table.rows
    ]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _flat(row: dict[str, Any], columns: Sequence[Column]) -> dict[str, Any]:
    """Return the values of a row that are columns, a spread as two."""
    flat: dict[str, Any] = {}
    for column in columns:
        value = row.get(column.key)
        flat[column.key] = value.mean if isinstance(value, Spread) else _in_spreadsheet(value)
        if isinstance(value, Spread):
            flat[f"{column.key}_std"] = value.std
    return flat


def _in_spreadsheet(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would compute; numbers stay numbers."""
    if not isinstance(value, str):
        return value
    text = printable(value)
    if not text.lstrip().startswith(FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
