"""The plots of a comparison, as Vega-Lite specifications: the page draws them, and `figures` writes them to files."""

from sr.dashboard.labels import label
from sr.dashboard.specification import (
    COLOR,
    DIMMED,
    HOVERED,
    Spec,
    plot,
    quantitative,
    tooltip_fields,
)

PRECISION = {
    "field": "precision_shown",
    "type": "nominal",
    "scale": {"domain": ["FP32", "quantized"], "range": ["circle", "diamond"]},
    "legend": {"title": None, "orient": "top", "offset": 32, "symbolType": "circle"},
}
# The diamond is smaller, so that it does not hide the circle of a net that loses nothing.
SIZE = {"condition": {"test": "datum.precision_shown === 'FP32'", "value": 130}, "value": 84}
DECADE = "(log(datum.value) / LN10)"
AROUND = ["right", "top-right", "bottom-right", "top", "bottom", "left", "top-left", "bottom-left"]
LABELS = [
    # Nothing of ours lies above a front on its left.
    label("front_names", "front", ["top-left", "left", *AROUND], 3),
    label("failed_names", "failed_places", ["top-left", "bottom-left", *AROUND], 3),
    label("reference_names", "reference_points", AROUND, 3),
]
REFERENCE_POINTS = {"data": {"name": "reference_points"}, "transform": [{"filter": "datum.metric === '@{metric}'"}]}

BY_PRECISION = [
    {"calculate": "{FP32: datum['float_@{metric}'], quantized: datum['simulated_@{metric}']}", "as": "quality"},
    {"calculate": "datum['@{x}']", "as": "x_float"},
    {"calculate": "isValid(datum['@{xq}']) ? datum['@{xq}'] : datum['@{x}']", "as": "x_quantized"},
    {"calculate": "['FP32', 'quantized']", "as": "precision_shown"},
    {"flatten": ["precision_shown"]},
    {"calculate": "datum.quality[datum.precision_shown]", "as": "y"},
    {
        "calculate": "{FP32: datum['float_@{metric}_std'], quantized: datum['simulated_@{metric}_std']}"
        "[datum.precision_shown]",
        "as": "std",
    },
    {"calculate": "datum.precision_shown === 'FP32' ? datum.x_float : datum.x_quantized", "as": "at"},
    {"filter": "isValid(datum.y) && isValid(datum.at) && datum.at > 0"},
    {"calculate": "datum.precision_shown === 'FP32' ? 'FP32' : datum.precision", "as": "precision_name"},
    # A failed net must not squeeze all others: what is far below the box plot's whisker is drawn at it, and said.
    {"joinaggregate": [{"op": "q1", "field": "y", "as": "q1"}, {"op": "q3", "field": "y", "as": "q3"}]},
    {
        "calculate": "@{sign} > 0 ? datum.q1 - 2 * max(abs(datum.q3 - datum.q1), 0.001)"
        " : datum.q3 + 2 * abs(datum.q3 - datum.q1)",
        "as": "fence",
    },
    {"calculate": "@{sign} * (datum.y - datum.fence) < 0", "as": "beyond"},
    {"calculate": "datum.beyond ? datum.fence : datum.y", "as": "drawn"},
]
"""Two rows for each run, of FP32 and quantized: precision_shown, precision_name, y, std, at, drawn, beyond."""

ORDER = [{"field": "at", "order": "ascending"}, {"field": "score", "order": "descending"}]
FRONT = [
    {"filter": "datum.precision_shown === '@{front}' && !datum.beyond"},
    {"calculate": "@{sign} * datum.y", "as": "score"},
    {"window": [{"op": "max", "field": "score", "as": "best"}], "frame": [None, 0], "sort": ORDER},
    {"window": [{"op": "lag", "field": "best", "as": "before"}], "sort": ORDER},
    {"filter": "!isValid(datum.before) || datum.score > datum.before"},
]
# Of nets that are all but equal, one name is enough.
FRONT_NAMES = [
    *FRONT,
    {"filter": "!isValid(datum.before) || datum.score - datum.before > 0.15 * abs(datum.q3 - datum.q1)"},
]

FAILED_NAMES = [
    {"filter": "datum.beyond && datum.precision_shown === 'FP32'"},
    {"calculate": "datum.label + ' ' + format(datum.y, '@{format}')", "as": "note"},
]

AT = quantitative(
    "at",
    "@{x_title}",
    scale={"type": "@{x_scale}", "nice": False, "padding": {"expr": "width > 450 ? 104 : 64"}},
    axis={
        "tickCount": 6,
        "labelOverlap": True,
        "labelExpr": "format(datum.value, datum.value < 10000 ? ',.3~r' : '.3~s')",
        "gridOpacity": {"condition": {"test": f"abs({DECADE} - round({DECADE})) < 0.001", "value": 1}, "value": 0.4},
    },
)
DRAWN = quantitative("drawn", "@{metric_title}", scale={"zero": False, "nice": False, "padding": 22})
PLACE = {"x": AT, "y": DRAWN}
REFERENCE_PLACE = {"x": {**AT, "field": "ms"}, "y": {**DRAWN, "field": "quality"}}
TOOLTIP = tooltip_fields(
    ("label", "run"),
    ("precision_name", "precision"),
    ("y", "@{metric_title}", "@{format}"),
    ("std", "std over seeds", "@{format}"),
    ("at", "@{x_title}", ".4~g"),
    ("num_seeds", "seeds"),
)
REFERENCE_TOOLTIP = tooltip_fields(
    ("label", "published"),
    ("quality", "@{metric_title}"),
    *((name, name) for name in ("ms", "device", "precision", "source", "table", "remark")),
)


def quality_latency() -> Spec:
    """Plot quality against a cost: FP32 and INT8 joined by a line, the Pareto front, published points.

    Blanks: x, xq (keys of the cost for FP32 and INT8), x_title, x_scale, metric, metric_title, sign (1 where more is
    better, else -1), front ("FP32" or "quantized"), least_range (of the axis of quality), format, families, colors.
    Data: `rows`, `reference_points`, and `bicubic`: {"quality", "label"} of a line across, or nothing.
    """
    layers = [*_least_ranges(), *_bicubic(), *_reference_points(), *_lines(), *_runs(), *_names()]
    return plot(
        "rows", 400, params=HOVERED, transform=BY_PRECISION, layer=layers, usermeta={"labels": LABELS}
    )  # fmt: skip


def _least_ranges() -> list[Spec]:
    """Widen the axes by unseen lines: one net alone would stretch the last digit of its score over the whole plot."""
    of = [{"op": op, "field": field, "as": f"{op}_{field}"} for op in ("min", "max") for field in ("drawn", "at")]
    half, factor = "@{least_range} / 2", "1.5"
    ends = {
        "drawn": ("(datum.min_drawn + datum.max_drawn) / 2", f"datum.middle - {half}", f"datum.middle + {half}"),
        "at": ("sqrt(datum.min_at * datum.max_at)", f"datum.middle / {factor}", f"datum.middle * {factor}"),
    }
    return [
        {
            "transform": [
                {"aggregate": of},
                {"filter": "isValid(datum.min_at)"},
                {"calculate": middle, "as": "middle"},
                {"calculate": f"[{low}, {high}]", "as": "ends"},
                {"flatten": ["ends"], "as": [field]},
            ],
            "mark": {"type": "rule", "opacity": 0},
            "encoding": {channel: PLACE[channel]},
        }
        for (field, (middle, low, high)), channel in zip(ends.items(), ("y", "x"), strict=True)
    ]


def _bicubic() -> list[Spec]:
    """Draw the score of bicubic as a line across, with its name."""
    y = {**DRAWN, "field": "quality"}
    return [
        {"data": {"name": "bicubic"}, "mark": {"type": "rule", "strokeWidth": 1.5, "color": "@{grey}"},
         "encoding": {"y": y}},
        {"data": {"name": "bicubic"},
         "mark": {"type": "text", "align": "left", "dy": -8, "fontSize": 11, "color": "@{grey}"},
         "encoding": {"x": {"value": 6}, "y": y, "text": {"field": "label"}}},
    ]  # fmt: skip


def _reference_points() -> list[Spec]:
    """Draw the published points."""
    mark = {"type": "point", "shape": "diamond", "size": 60, "filled": False, "opacity": 0.8, "color": "@{grey}"}
    return [
        {
            **REFERENCE_POINTS,
            "name": "reference_points",
            "mark": mark,
            "encoding": REFERENCE_PLACE | {"tooltip": REFERENCE_TOOLTIP},
        }
    ]


def _lines() -> list[Spec]:
    """Draw lines from FP32 to quantized, over seeds, and along the front."""
    return [
        {
            "name": "pairs",
            "mark": {"type": "line", "strokeWidth": 1.2, "opacity": 0.7},
            "encoding": PLACE | {"detail": {"field": "id"}, "color": COLOR, "opacity": DIMMED},
        },
        {
            "transform": [{"filter": "isValid(datum.std) && !datum.beyond"},
                          {"calculate": "datum.y - datum.std", "as": "low"},
                          {"calculate": "datum.y + datum.std", "as": "high"}],
            "mark": {"type": "rule", "strokeWidth": 4, "opacity": 0.25},
            "encoding": {"x": AT, "y": {**DRAWN, "field": "low"}, "y2": {"field": "high"}, "color": COLOR},
        },
        {
            "transform": FRONT,
            "mark": {"type": "line", "strokeDash": [5, 4], "strokeWidth": 1.5, "color": "@{front_color}",
                     "interpolate": "step-after"},
            "encoding": PLACE,
        },
    ]  # fmt: skip


def _runs() -> list[Spec]:
    """Draw our points; failed nets stand at the border with their value."""
    return [
        {
            # Unseen and below the points: what the names of the front belong to.
            "name": "front",
            "transform": FRONT_NAMES,
            "mark": {"type": "point", "size": 130, "opacity": 0},
            "encoding": PLACE,
        },
        {
            "name": "points",
            "params": [{"name": "zoom", "select": "interval", "bind": "scales"}],
            "transform": [{"filter": "!datum.beyond"}],
            "mark": {"type": "point", "filled": True, "stroke": "@{paper}", "strokeWidth": 1},
            "encoding": PLACE
            | {"color": COLOR, "shape": PRECISION, "size": SIZE, "opacity": DIMMED, "tooltip": TOOLTIP},
        },
        {
            "name": "failed",
            "transform": [{"filter": "datum.beyond"}],
            "mark": {"type": "point", "shape": "triangle-down", "filled": True, "size": 80},
            "encoding": PLACE | {"color": COLOR, "opacity": DIMMED, "tooltip": TOOLTIP},
        },
        {
            # Unseen, as `front`.
            "name": "failed_places",
            "transform": FAILED_NAMES,
            "mark": {"type": "point", "size": 80, "opacity": 0},
            "encoding": PLACE,
        },
    ]


def _names() -> list[Spec]:
    """Draw the names of the front's nets, of failed nets and of published points; `labels` places them."""
    return [
        {
            "name": "front_names",
            "transform": FRONT_NAMES,
            "mark": {"type": "text", "fontSize": 11, "fontWeight": 500, "limit": 240},
            "encoding": PLACE | {"text": {"field": "label"}, "opacity": DIMMED},
        },
        {
            "name": "failed_names",
            "transform": FAILED_NAMES,
            "mark": {"type": "text", "fontSize": 10, "opacity": 0.8},
            "encoding": PLACE | {"text": {"field": "note"}},
        },
        {
            **REFERENCE_POINTS,
            "name": "reference_names",
            "mark": {"type": "text", "fontSize": 10, "opacity": 0.6},
            "encoding": REFERENCE_PLACE | {"text": {"field": "label"}},
        },
    ]
