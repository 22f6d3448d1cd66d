"""The plots, as Vega-Lite specifications: the page draws them, and `figures` writes the same ones to files.

A specification names its data (`rows`, `ghosts`, ...) and has blanks, such as "@{x}", which `filled` puts values into;
the page does the same in its own language (page/charts.js).
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
PRECISION = {
    "field": "precision_shown",
    "type": "nominal",
    "scale": {"domain": ["FP32", "quantized"], "range": ["circle", "diamond"]},
    "legend": {"title": None, "orient": "top", "offset": 32, "symbolType": "circle"},
}
# The diamond is smaller, so that it does not hide the circle of a net that loses nothing.
SIZE = {"condition": {"test": "datum.precision_shown === 'FP32'", "value": 130}, "value": 84}
DIMMED = {"condition": {"test": "hovered && datum.group !== hovered", "value": 0.15}, "value": 1}
DECADE = "(log(datum.value) / LN10)"
HOVERED = [{"name": "hovered", "value": ""}]


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


def quality_latency() -> Spec:
    """Quality against a cost: FP32 and INT8 of a net joined by a line, the Pareto front, published points behind.

    Blanks: x, xq (keys of the cost for FP32 and INT8), x_title, x_scale, metric, metric_title, sign (1 where more is
    better, else -1), front ("FP32" or "quantized"), format, families, colors.
    """
    by_precision = [
        {"calculate": "{FP32: datum['float_@{metric}'], quantized: datum['simulated_@{metric}']}", "as": "quality"},
        {"calculate": "datum['@{x}']", "as": "x_float"},
        {"calculate": "isValid(datum['@{xq}']) ? datum['@{xq}'] : datum['@{x}']", "as": "x_quantized"},
        {"calculate": "['FP32', 'quantized']", "as": "precision_shown"},
        {"flatten": ["precision_shown"]},
        {"calculate": "datum.quality[datum.precision_shown]", "as": "y"},
        {
            "calculate": "datum.precision_shown === 'FP32' ? datum['float_@{metric}_std'] : "
            "datum['simulated_@{metric}_std']",
            "as": "std",
        },
        {"calculate": "datum.precision_shown === 'FP32' ? datum.x_float : datum.x_quantized", "as": "at"},
        {"filter": "isValid(datum.y) && isValid(datum.at) && datum.at > 0"},
        {"calculate": "datum.precision_shown === 'FP32' ? 'FP32' : datum.precision", "as": "precision_name"},
        # A failed net must not squeeze all others: what is far below the box plot's whisker is drawn at it, and said.
        {"joinaggregate": [{"op": "q1", "field": "y", "as": "q1"}, {"op": "q3", "field": "y", "as": "q3"}]},
        {"calculate": "datum.q1 - @{sign} * 2 * max(abs(datum.q3 - datum.q1), 0.001)", "as": "fence"},
        {"calculate": "@{sign} * (datum.y - (@{sign} > 0 ? datum.fence : datum.q3 + 2 * abs(datum.q3 - datum.q1))) < 0",
         "as": "beyond"},
        {"calculate": "datum.beyond ? (@{sign} > 0 ? datum.fence : datum.q3 + 2 * abs(datum.q3 - datum.q1)) : datum.y",
         "as": "drawn"},
    ]  # fmt: skip
    front = [
        {"filter": "datum.precision_shown === '@{front}' && !datum.beyond"},
        {"calculate": "@{sign} * datum.y", "as": "score"},
        {"window": [{"op": "max", "field": "score", "as": "best"}], "frame": [None, 0],
         "sort": [{"field": "at", "order": "ascending"}, {"field": "score", "order": "descending"}]},
        {"window": [{"op": "lag", "field": "best", "as": "before"}],
         "sort": [{"field": "at", "order": "ascending"}, {"field": "score", "order": "descending"}]},
        {"filter": "!isValid(datum.before) || datum.score > datum.before"},
    ]  # fmt: skip
    x = {
        "field": "at",
        "type": "quantitative",
        "title": "@{x_title}",
        "scale": {"type": "@{x_scale}", "nice": False, "padding": {"expr": "width > 450 ? 104 : 64"}},
        "axis": {
            "tickCount": 6,
            "labelOverlap": True,
            "gridOpacity": {
                "condition": {"test": f"abs({DECADE} - round({DECADE})) < 0.001", "value": 1},
                "value": 0.4,
            },
        },
    }
    y = {
        "field": "drawn",
        "type": "quantitative",
        "title": "@{metric_title}",
        "scale": {"zero": False, "nice": False, "padding": 22},
    }
    tooltip = [
        {"field": "label", "title": "run"},
        {"field": "precision_name", "title": "precision"},
        {"field": "y", "title": "@{metric_title}", "format": "@{format}"},
        {"field": "std", "title": "std over seeds", "format": "@{format}"},
        {"field": "at", "title": "@{x_title}", "format": ".4~g"},
        {"field": "num_seeds", "title": "seeds"},
    ]
    ghost = {
        "data": {"name": "ghosts"},
        "transform": [{"filter": "datum.metric === '@{metric}'"}],
        "encoding": {
            "x": {**x, "field": "ms"},
            "y": {**y, "field": "quality"},
            "tooltip": [
                {"field": name, "title": title}
                for name, title in (
                    ("label", "published"), ("quality", "@{metric_title}"), ("ms", "ms"), ("device", "device"),
                    ("precision", "precision"), ("source", "source"), ("table", "table"), ("remark", "remark"),
                )
            ],
        },
    }  # fmt: skip
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": 400,
        "data": {"name": "rows"},
        "params": HOVERED,
        "transform": by_precision,
        "layer": [
            {
                **ghost,
                "layer": [
                    {"mark": {"type": "point", "shape": "diamond", "size": 60, "filled": False, "opacity": 0.8,
                              "color": "@{grey}"}},
                    {"mark": {"type": "text", "dx": 8, "align": "left", "fontSize": 10, "opacity": 0.6},
                     "encoding": {"text": {"field": "label"}}},
                ],
            },
            {
                "name": "pairs",
                "mark": {"type": "line", "strokeWidth": 1.2, "opacity": 0.7},
                "encoding": {"x": x, "y": y, "detail": {"field": "id"}, "color": COLOR, "opacity": DIMMED},
            },
            {
                "transform": [{"filter": "isValid(datum.std) && !datum.beyond"},
                              {"calculate": "datum.y - datum.std", "as": "low"},
                              {"calculate": "datum.y + datum.std", "as": "high"}],
                "mark": {"type": "rule", "strokeWidth": 4, "opacity": 0.25},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": COLOR},
            },
            {
                "transform": front,
                "mark": {"type": "line", "strokeDash": [5, 4], "strokeWidth": 1.5, "color": "@{front_color}",
                         "interpolate": "step-after"},
                "encoding": {"x": x, "y": y},
            },
            {
                "params": [{"name": "zoom", "select": "interval", "bind": "scales"}],
                "transform": [{"filter": "!datum.beyond"}],
                "mark": {"type": "point", "filled": True, "stroke": "@{paper}", "strokeWidth": 1},
                "encoding": {"x": x, "y": y, "color": COLOR, "shape": PRECISION, "size": SIZE, "opacity": DIMMED,
                             "tooltip": tooltip},
            },
            {
                "transform": [{"filter": "datum.beyond"}],
                "layer": [
                    {"mark": {"type": "point", "shape": "triangle-down", "filled": True, "size": 80},
                     "encoding": {"x": x, "y": y, "color": COLOR, "opacity": DIMMED, "tooltip": tooltip}},
                    {"transform": [{"filter": "datum.precision_shown === 'FP32'"},
                                   {"calculate": "datum.label + ' ' + format(datum.y, '@{format}')", "as": "note"}],
                     "mark": {"type": "text", "align": "right", "dx": -8, "fontSize": 10, "opacity": 0.8},
                     "encoding": {"x": x, "y": y, "text": {"field": "note"}}},
                ],
            },
            {
                # Nothing lies above a front on its left. Of nets that are all but equal, one name is enough.
                "transform": [*front, {"filter": "!isValid(datum.before) || datum.score - datum.before > "
                                                 "0.15 * abs(datum.q3 - datum.q1)"}],
                "mark": {"type": "text", "dx": -8, "dy": -8, "align": "right", "fontSize": 11, "fontWeight": 500},
                "encoding": {"x": x, "y": y, "text": {"field": "label"}, "opacity": DIMMED},
            },
        ],
    }  # fmt: skip


def drops() -> Spec:
    """What quantization costs each net, the worst first (the form of QuickSRNet's figure 7).

    Blanks: metric, metric_title, format, families, colors.
    """
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": {"step": 22},
        "padding": {"left": 5, "top": 5, "right": 30, "bottom": 5},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"name": "rows"},
        "params": HOVERED,
        "transform": [
            {"filter": "isValid(datum['drop_@{metric}'])"},
            {"calculate": "datum['drop_@{metric}']", "as": "drop"},
            {"calculate": "isValid(datum['drop_@{metric}_std']) ? datum['drop_@{metric}_std'] : 0", "as": "std"},
            {"calculate": "datum.drop - datum.std", "as": "low"},
            {"calculate": "datum.drop + datum.std", "as": "high"},
            {"calculate": "datum.label + (datum.num_seeds > 1 ? '  (' + datum.num_seeds + ' seeds)' : '')",
             "as": "name"},
        ],
        "encoding": {
            "y": {"field": "name", "type": "nominal", "sort": {"field": "drop", "op": "max", "order": "descending"},
                  "axis": {"title": None, "labelLimit": 190, "ticks": False, "domain": False}},
            "opacity": DIMMED,
        },
        "layer": [
            {"mark": {"type": "bar", "height": 12, "cornerRadiusEnd": 2},
             "encoding": {"x": {"field": "drop", "type": "quantitative",
                                "title": "lost by quantization, @{metric_title}",
                                "scale": {"zero": True}, "axis": {"tickCount": 5}},
                          "color": COLOR,
                          "tooltip": [{"field": "label", "title": "run"},
                                      {"field": "float_@{metric}", "title": "FP32", "format": "@{format}"},
                                      {"field": "simulated_@{metric}", "title": "quantized", "format": "@{format}"},
                                      {"field": "drop", "title": "lost", "format": "@{format}"},
                                      {"field": "scheme", "title": "scheme"}]}},
            {"transform": [{"filter": "datum.std > 0"}],
             "mark": {"type": "rule", "strokeWidth": 1.5, "color": "@{ink}"},
             "encoding": {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}},
            {"transform": [{"calculate": "max(datum.high, 0)", "as": "end"}],  # right of a bar to the left, too
             "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 10},
             "encoding": {"x": {"field": "end", "type": "quantitative"},
                          "text": {"field": "drop", "format": "@{format}"}}},
        ],
    }  # fmt: skip
