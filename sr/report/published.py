"""Published numbers as data: every value of the sources with where it stands and what it was measured of.

The files in `sources/` are nested so that nothing is written twice. A value's fields are those of its file, its table,
its column and its row, the later ones winning; mappings are joined. A row's `label` names its net, in the file's
`models`.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from sr.runs.files import read_yaml

SOURCES = Path(__file__).parent / "sources"
FOREIGN_PROTOCOLS = {
    "zoo": "luma not rounded and not clipped, no border cut off, calibrated on the images that are scored",
    "bsd300_resized": "images resized to 512x512, LR made by Pillow",
    "unstated": "the source does not say",
}
"""Protocols of sources that this project does not have, so that nothing of ours stands beside their numbers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Published:
    """One published value.

    Attributes:
        source: Short name of the source.
        title: Its title.
        reference: Where to find it.
        table: Table, figure or section of the source.
        label: Name of the net there.
        model: {"name": class in lower case, and arguments that our net must have}.
        quantity: What the value is, with its unit, such as "psnr_y_db".
        value: The value.
        variant: Arguments that the source's net has; a run that differs in them is compared, and the difference said.
        scheme: How it was quantized, as far as the source tells.
        training: {"data", "iterations", ...} of the source.
        conditions: What else it was measured under (device, LR size, batch size).
        set: Test set, None where there is none.
        scale: Upscaling factor, None where the source does not state it.
        precision: "fp32", "fp16" or "int8"; None where there is none.
        protocol: Name of the evaluation protocol; None for what is no score.
        task: "regression" or "gan".
        caveat: Why the comparison limps; empty if it does not.
    """

    source: str
    title: str
    reference: str
    table: str
    label: str
    model: Mapping[str, Any]
    quantity: str
    value: float
    variant: Mapping[str, Any] = field(default_factory=dict)
    scheme: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    set: str | None = None
    scale: float | None = None
    precision: str | None = None
    protocol: str | None = None
    task: str = "regression"
    caveat: str = ""


@functools.cache
def published(folder: Path = SOURCES) -> tuple[Published, ...]:
    """Read all published values.

    Raises:
        ValueError: if a file is not laid out as this module says; the message names the file and the table.
    """
    return tuple(value for path in sorted(folder.glob("*.yaml")) for value in read_source(path))


def read_source(path: Path) -> list[Published]:
    """Read the values of one file.

    Raises:
        ValueError: as `published`.
    """
    content = read_yaml(path)
    models, tables = content.pop("models"), content.pop("tables")
    values = []
    for table in tables:
        try:
            values += list(_values(content, table, models))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}, table {table.get('table')}: {error!r}") from error
    return values


def _values(common: dict[str, Any], table: dict[str, Any], models: dict[str, Any]) -> Iterator[Published]:
    """Lay out one table, value by value."""
    known = {item.name for item in fields(Published)} - {"model", "value"}
    shared = _joined(common, {key: value for key, value in table.items() if key not in ("columns", "rows")})
    for row in table["rows"]:
        own = {key: value for key, value in row.items() if key != "values"}
        for column, value in zip(table["columns"], row["values"], strict=True):
            fields_of_value = _joined(_joined(shared, column), own)
            unknown = sorted(fields_of_value.keys() - known)
            if unknown:
                raise ValueError(f"unknown fields {unknown}")
            if value is not None:
                model = models[fields_of_value["label"]]
                yield Published(model=model, value=float(value), **fields_of_value)


def _joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Two mappings as one; the second wins, mappings inside are joined."""
    joined = dict(first)
    for key, value in second.items():
        old = joined.get(key)
        joined[key] = old | value if isinstance(old, dict) and isinstance(value, dict) else value
    return joined
