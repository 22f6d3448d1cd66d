"""Further plots, in the form that `charts` describes: curves of training, pruning, and ours beside the published."""

from sr.dashboard.charts import COLOR, DIMMED, HOVERED, SCHEMA, Spec


def training_curves() -> Spec:
    """One logged value over the iterations, a line for each run.

    Blanks: curve_title, y_scale, format, families, colors. Data `points`: {"group", "id", "label", "family", "at",
    "value"}.
    """
    encoding = {
        "x": {"field": "at", "type": "quantitative", "title": "iteration", "axis": {"format": "~s", "tickCount": 6}},
        "y": {"field": "value", "type": "quantitative", "title": "@{curve_title}",
              "scale": {"zero": False, "type": "@{y_scale}", "nice": False, "padding": 14}},
        "detail": {"field": "id"},
        "color": COLOR,
        "opacity": DIMMED,
    }  # fmt: skip
    nearest = {
        "name": "nearest",
        "select": {"type": "point", "on": "pointermove", "nearest": True, "clear": "pointerout"},
    }
    # Names at the ends of many lines would cover each other: then only the run that is pointed at has its own.
    last = [
        {"joinaggregate": [{"op": "max", "field": "at", "as": "last"}], "groupby": ["id"]},
        {"filter": "datum.at === datum.last"},
        {"joinaggregate": [{"op": "distinct", "field": "id", "as": "num_runs"}]},
        {"filter": "datum.group === hovered || (datum.num_runs > 1 && datum.num_runs < 7)"},
    ]
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": 380,
        "data": {"name": "points"},
        "params": HOVERED,
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 1.6, "interpolate": "monotone", "clip": True},
             "encoding": encoding},
            {"params": [nearest], "mark": {"type": "point", "size": 50, "filled": True},
             "encoding": {**encoding,
                          "opacity": {"condition": {"param": "nearest", "empty": False, "value": 1}, "value": 0},
                          "tooltip": [{"field": "label", "title": "run"},
                                      {"field": "at", "title": "iteration", "format": ","},
                                      {"field": "value", "title": "@{curve_title}", "format": "@{format}"}]}},
            {"transform": last, "mark": {"type": "text", "align": "right", "dy": -7, "fontSize": 10},
             "encoding": {**encoding, "text": {"field": "label"}}},
        ],
    }  # fmt: skip


def sparsity() -> Spec:
    """Quality of a net as it is pruned further, round by round, beside its dense self (SESR's figure 3).

    Blanks: metric_title, format, families, colors. Data `rounds`: {"group", "id", "label", "family", "sparsity",
    "quality"}.
    """
    x = {
        "field": "sparsity",
        "type": "quantitative",
        "title": "sparsity of the weights",
        "axis": {"format": ".0%", "tickCount": 10},
    }
    y = {
        "field": "quality",
        "type": "quantitative",
        "title": "@{metric_title}",
        "scale": {"zero": False, "padding": 12},
    }
    dense = [
        {"sort": [{"field": "sparsity"}], "window": [{"op": "first_value", "field": "quality", "as": "dense"}],
         "groupby": ["id"], "frame": [None, None]},
    ]  # fmt: skip
    tooltip = [
        {"field": "label", "title": "run"},
        {"field": "sparsity", "title": "sparsity", "format": ".1%"},
        {"field": "quality", "title": "@{metric_title}", "format": "@{format}"},
    ]
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": 340,
        "data": {"name": "rounds"},
        "params": HOVERED,
        "layer": [
            {"transform": dense, "mark": {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1},
             "encoding": {"x": x, "y": {**y, "field": "dense"}, "color": COLOR, "detail": {"field": "id"}}},
            {"mark": {"type": "line", "point": {"size": 60, "filled": True}, "strokeWidth": 1.8},
             "encoding": {"x": x, "y": y, "color": COLOR, "detail": {"field": "id"}, "opacity": DIMMED,
                          "tooltip": tooltip}},
        ],
    }  # fmt: skip


def beside_published() -> Spec:
    """Ours and the published score of the same net, joined by a line.

    Blanks: metric_title, format, families, colors. Data `pairs`: {"name", "family", "ours", "published", "difference",
    "precision", "source", "table", "remarks"}.
    """
    y = {"field": "name", "type": "nominal", "sort": {"field": "published", "op": "max", "order": "descending"},
         "axis": {"title": None, "labelLimit": 230, "ticks": False, "domain": False, "grid": True}}  # fmt: skip
    scale = {"zero": False, "nice": False, "padding": 14}
    tooltip = [
        {"field": "name", "title": "net"},
        {"field": "ours", "title": "ours", "format": "@{format}"},
        {"field": "published", "title": "published", "format": "@{format}"},
        {"field": "difference", "title": "difference", "format": "+@{format}"},
        *(
            {"field": name, "title": name}
            for name in ("iterations", "published_iterations", "source", "table", "remarks")
        ),
    ]
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": {"step": 22},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"name": "pairs"},
        "encoding": {"y": y, "tooltip": tooltip},
        "layer": [
            {"mark": {"type": "rule", "strokeWidth": 1.5, "opacity": 0.6},
             "encoding": {"x": {"field": "ours", "type": "quantitative", "title": "@{metric_title}", "scale": scale},
                          "x2": {"field": "published"}, "color": COLOR}},
            {"mark": {"type": "point", "filled": True, "size": 90},
             "encoding": {"x": {"field": "ours", "type": "quantitative", "scale": scale}, "color": COLOR}},
            {"mark": {"type": "point", "filled": False, "size": 90, "strokeWidth": 1.6},
             "encoding": {"x": {"field": "published", "type": "quantitative", "scale": scale}, "color": COLOR}},
        ],
    }  # fmt: skip


def stage_times() -> Spec:
    """Wall time of a run's stages. Data `stages`: {"stage", "seconds", "order"}."""
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": {"step": 22},
        "padding": {"left": 5, "top": 5, "right": 34, "bottom": 5},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"name": "stages"},
        "encoding": {"y": {"field": "stage", "type": "nominal", "sort": {"field": "order"},
                           "axis": {"title": None, "ticks": False, "domain": False}}},
        "layer": [
            {"mark": {"type": "bar", "height": 12, "cornerRadiusEnd": 2, "color": "@{accent}"},
             "encoding": {"x": {"field": "seconds", "type": "quantitative", "title": "seconds",
                                "axis": {"tickCount": 5}}}},
            {"mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 10},
             "encoding": {"x": {"field": "seconds", "type": "quantitative"},
                          "text": {"field": "seconds", "format": ",.1f"}}},
        ],
    }  # fmt: skip


ALONE, IN_NET = "the net's output, this layer alone quantized", "this layer's output, all quantized"
BY_LAYER = {
    "field": "name",
    "type": "nominal",
    "sort": {"field": "order"},
    "axis": {"title": None, "ticks": False, "domain": False, "labelLimit": 200, "grid": True},
}


def layer_noise() -> Spec:
    """What each layer loses to its bits: alone, and its own output in the whole quantized net.

    Blanks: accent, ink. Data `layers`: {"name", "kind", "alone_db", "sqnr_db", "order"}.
    """
    kinds = {"domain": [ALONE, IN_NET], "range": ["@{accent}", "@{ink}"]}
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": {"step": 20},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"name": "layers"},
        "transform": [
            {"fold": ["alone_db", "sqnr_db"], "as": ["key", "db"]},
            {"filter": "isValid(datum.db)"},
            {"calculate": f'datum.key === "alone_db" ? "{ALONE}" : "{IN_NET}"', "as": "what"},
        ],
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
        "encoding": {
            "y": BY_LAYER,
            "x": {"field": "db", "type": "quantitative", "title": "SQNR (dB), less is worse",
                  "scale": {"zero": False, "padding": 14}},
            "color": {"field": "what", "type": "nominal", "scale": kinds,
                      "legend": {"title": None, "orient": "top", "columns": 1, "labelLimit": 400}},
            "shape": {"field": "what", "type": "nominal",
                      "scale": {"domain": kinds["domain"], "range": ["circle", "diamond"]},
                      "legend": {"title": None, "orient": "top", "columns": 1, "labelLimit": 400}},
            "tooltip": [{"field": "name", "title": "layer"}, {"field": "kind", "title": "kind"},
                        {"field": "what", "title": "SQNR of"}, {"field": "db", "title": "dB", "format": ".1f"}],
        },
    }  # fmt: skip


def layer_ranges() -> Spec:
    """The range that each activation was given, over the range that the float net fills.

    Blanks: accent, ink. Data `layers`: {"name", "low", "high", "float_low", "float_high", "cut", "order"}.
    """
    x = {"type": "quantitative", "title": "value of the activation", "scale": {"padding": 14}}
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": {"step": 20},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"name": "layers"},
        "transform": [{"filter": "isValid(datum.low)"}],
        "encoding": {
            "y": BY_LAYER,
            "tooltip": [{"field": "name", "title": "layer"}, {"field": "low", "format": ".4f"},
                        {"field": "high", "format": ".4f"},
                        {"field": "float_low", "title": "float net low", "format": ".4f"},
                        {"field": "float_high", "title": "float net high", "format": ".4f"},
                        {"field": "cut", "title": "cut off", "format": ".3%"}],
        },
        "layer": [
            {"mark": {"type": "bar", "height": 11, "opacity": 0.55, "color": "@{accent}", "cornerRadius": 2},
             "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}}},
            {"mark": {"type": "rule", "strokeWidth": 2, "color": "@{ink}"},
             "encoding": {"x": {**x, "field": "float_low"}, "x2": {"field": "float_high"}}},
        ],
    }  # fmt: skip
