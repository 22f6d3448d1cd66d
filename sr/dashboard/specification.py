"""What the plots share as Vega-Lite specifications: blanks and what fills them, colours, frames, tooltips.

A specification names its data (`rows`, `reference_points`, ...) and has blanks, such as "@{x}". `filled` puts values
into them; page/charts.js does the same in the page.
"""

import json
import re
from typing import Any

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
COLOR = {
    "field": "family",
    "type": "nominal",
    "scale": {"domain": "@{families}", "range": "@{colors}"},
    "legend": "@{legend}",
}
DIMMED = {"condition": {"test": "hovered && datum.group !== hovered", "value": 0.15}, "value": 1}
HOVERED = [{"name": "hovered", "value": ""}]
VALUE_TEXT = {"type": "text", "align": "left", "dx": 5, "fontSize": 10}
"""Mark of a bar's number behind its end."""


def plot(data: str, height: Any, **parts: Any) -> Spec:
    """Frame a plot as wide as its place; what `parts` says wins.

    Args:
        data: name of its data.
        height: pixels, or {"step": pixels of a row}.
        parts: the rest of the specification.
    """
    return {"$schema": SCHEMA, "width": "container", "height": height, "data": {"name": data}} | parts


def bars(data: str, *, step: int = 22, right: int = 5, **parts: Any) -> Spec:
    """Frame a plot of one row for each name.

    Args:
        data: name of its data.
        step: height of a row in pixels.
        right: pixels kept free on the right, for numbers behind the bars.
        parts: the rest of the specification.
    """
    padding = {"left": 5, "top": 5, "right": right, "bottom": 5}
    return plot(data, {"step": step}, autosize={"type": "fit-x", "contains": "padding"}, padding=padding, **parts)


def by_name(field: str, *, sort: Spec, limit: int = 190, grid: bool = False) -> Spec:
    """Encode the rows of `bars`.

    Args:
        field: what a row is called.
        sort: the order of rows.
        limit: pixels that a name may have.
        grid: whether a line leads from the name to the marks.
    """
    axis = {"title": None, "ticks": False, "domain": False, "labelLimit": limit, "grid": grid}
    return {"field": field, "type": "nominal", "sort": sort, "axis": axis}


def quantitative(field: str, title: str | None = None, **more: Any) -> Spec:
    """Encode a number; without a title the axis gets that of the other layers."""
    return {"field": field, "type": "quantitative"} | ({"title": title} if title else {}) | more


def tooltip_fields(*entries: tuple[str, ...]) -> list[Spec]:
    """Return the lines of a tooltip, each from (field, title) or (field, title, format).

    >>> tooltip_fields(("label", "run"), ("db", "dB", ".1f"))
    [{'field': 'label', 'title': 'run'}, {'field': 'db', 'title': 'dB', 'format': '.1f'}]
    """
    return [dict(zip(("field", "title", "format"), entry, strict=False)) for entry in entries]


def filled(spec: Spec, values: dict[str, Any]) -> Spec:
    """Put values into the blanks of a specification; a blank without a value stays.

    Args:
        spec: with blanks alone, which may become anything, or inside of an expression, where they become texts.
        values: {name of the blank: value}.

    >>> filled({"field": "@{x}", "calculate": "datum['@{x}'] * 2"}, {"x": "ms"})
    {'field': 'ms', 'calculate': "datum['ms'] * 2"}
    """

    def alone(found: re.Match[str]) -> str:
        return json.dumps(values[found[1]]) if found[1] in values else found[0]

    def inside(found: re.Match[str]) -> str:
        return json.dumps(str(values[found[1]]))[1:-1] if found[1] in values else found[0]

    text = re.sub(r'"@{(\w+)}"', alone, json.dumps(spec))
    return json.loads(re.sub(r"@{(\w+)}", inside, text))
