"""Further plots, in the form that `charts` describes: quantization, training, pruning, published values, one run."""

from sr.dashboard.specification import (
    COLOR,
    DIMMED,
    HOVERED,
    VALUE_TEXT,
    Spec,
    bars,
    by_name,
    plot,
    quantitative,
    tooltip_fields,
)


def drops() -> Spec:
    """Plot the loss of each net by quantization, the worst first (the form of QuickSRNet's figure 7).

    Blanks: metric, metric_title, format, families, colors.
    """
    transform = [
        {"filter": "isValid(datum['drop_@{metric}'])"},
        {"calculate": "datum['drop_@{metric}']", "as": "drop"},
        {"calculate": "isValid(datum['drop_@{metric}_std']) ? datum['drop_@{metric}_std'] : 0", "as": "std"},
        {"calculate": "datum.drop - datum.std", "as": "low"},
        {"calculate": "datum.drop + datum.std", "as": "high"},
        {"calculate": "datum.label + (datum.num_seeds > 1 ? '  (' + datum.num_seeds + ' seeds)' : '')", "as": "name"},
    ]
    tooltip = tooltip_fields(
        ("label", "run"),
        ("float_@{metric}", "FP32", "@{format}"),
        ("simulated_@{metric}", "quantized", "@{format}"),
        ("drop", "lost", "@{format}"),
        ("scheme", "scheme"),
    )
    drop = quantitative("drop", "lost by quantization, @{metric_title}", scale={"zero": True}, axis={"tickCount": 5})
    layers = [
        {"mark": {"type": "bar", "height": 12, "cornerRadiusEnd": 2},
         "encoding": {"x": drop, "color": COLOR, "tooltip": tooltip}},
        {"transform": [{"filter": "datum.std > 0"}],
         "mark": {"type": "rule", "strokeWidth": 1.5, "color": "@{ink}"},
         "encoding": {"x": quantitative("low"), "x2": {"field": "high"}}},
        {"transform": [{"calculate": "max(datum.high, 0)", "as": "end"}],  # right of a bar to the left, too
         "mark": VALUE_TEXT,
         "encoding": {"x": quantitative("end"), "text": {"field": "drop", "format": "@{format}"}}},
    ]  # fmt: skip
    y = by_name("name", sort={"field": "drop", "op": "max", "order": "descending"})
    encoding = {"y": y, "opacity": DIMMED}
    return bars("rows", right=30, params=HOVERED, transform=transform, encoding=encoding, layer=layers)


def training_curves() -> Spec:
    """Plot one logged value over the iterations, a line for each run.

    Blanks: curve_title, y_scale, format, families, colors. Data `points`: {"group", "id", "label", "family", "at",
    "value"}.
    """
    scale = {"zero": False, "type": "@{y_scale}", "nice": False, "padding": 14}
    encoding = {
        "x": quantitative("at", "iteration", axis={"format": "~s", "tickCount": 6}),
        "y": quantitative("value", "@{curve_title}", scale=scale),
        "detail": {"field": "id"},
        "color": COLOR,
        "opacity": DIMMED,
    }
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
    tooltip = tooltip_fields(("label", "run"), ("at", "iteration", ","), ("value", "@{curve_title}", "@{format}"))
    near = {"condition": {"param": "nearest", "empty": False, "value": 1}, "value": 0}
    layers = [
        {"mark": {"type": "line", "strokeWidth": 1.6, "interpolate": "monotone", "clip": True}, "encoding": encoding},
        {"params": [nearest], "mark": {"type": "point", "size": 50, "filled": True},
         "encoding": encoding | {"opacity": near, "tooltip": tooltip}},
        {"transform": last, "mark": {"type": "text", "align": "right", "dy": -7, "fontSize": 10},
         "encoding": encoding | {"text": {"field": "label"}}},
    ]  # fmt: skip
    return plot("points", 380, params=HOVERED, layer=layers)


def sparsity() -> Spec:
    """Plot quality against sparsity, round by round, with the dense net (SESR's figure 3).

    Blanks: metric_title, format, families, colors. Data `rounds`: {"group", "id", "label", "family", "sparsity",
    "quality"}.
    """
    x = quantitative("sparsity", "sparsity of the weights", axis={"format": ".0%", "tickCount": 10})
    y = quantitative("quality", "@{metric_title}", scale={"zero": False, "padding": 12})
    dense = [
        {"sort": [{"field": "sparsity"}], "window": [{"op": "first_value", "field": "quality", "as": "dense"}],
         "groupby": ["id"], "frame": [None, None]},
    ]  # fmt: skip
    tooltip = tooltip_fields(
        ("label", "run"), ("sparsity", "sparsity", ".1%"), ("quality", "@{metric_title}", "@{format}")
    )  # fmt: skip
    run = {"x": x, "color": COLOR, "detail": {"field": "id"}}
    layers = [
        {"transform": dense, "mark": {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1},
         "encoding": run | {"y": {**y, "field": "dense"}}},
        {"mark": {"type": "line", "point": {"size": 60, "filled": True}, "strokeWidth": 1.8},
         "encoding": run | {"y": y, "opacity": DIMMED, "tooltip": tooltip}},
    ]  # fmt: skip
    return plot("rounds", 340, params=HOVERED, layer=layers)


def beside_published() -> Spec:
    """Plot our and the published score of the same net, joined by a line.

    Blanks: metric_title, format, families, colors. Data `pairs`: {"name", "family", "ours", "published", "difference",
    "precision", "source", "table", "remarks"}.
    """
    y = by_name("name", sort={"field": "published", "op": "max", "order": "descending"}, limit=230, grid=True)
    scale = {"zero": False, "nice": False, "padding": 14}
    tooltip = tooltip_fields(
        ("name", "net"),
        ("ours", "ours", "@{format}"),
        ("published", "published", "@{format}"),
        ("difference", "difference", "+@{format}"),
        *((name, name) for name in ("iterations", "published_iterations", "source", "table", "remarks")),
    )
    ours = quantitative("ours", "@{metric_title}", scale=scale)
    layers = [
        {"mark": {"type": "rule", "strokeWidth": 1.5, "opacity": 0.6},
         "encoding": {"x": ours, "x2": {"field": "published"}, "color": COLOR}},
        {"mark": {"type": "point", "filled": True, "size": 90}, "encoding": {"x": ours, "color": COLOR}},
        {"mark": {"type": "point", "filled": False, "size": 90, "strokeWidth": 1.6},
         "encoding": {"x": {**ours, "field": "published"}, "color": COLOR}},
    ]  # fmt: skip
    return bars("pairs", encoding={"y": y, "tooltip": tooltip}, layer=layers)


def stage_times() -> Spec:
    """Plot the wall time of a run's stages. Data `stages`: {"stage", "seconds", "order"}."""
    seconds = quantitative("seconds", "seconds", axis={"tickCount": 5})
    layers = [
        {"mark": {"type": "bar", "height": 12, "cornerRadiusEnd": 2, "color": "@{accent}"}, "encoding": {"x": seconds}},
        {"mark": VALUE_TEXT, "encoding": {"x": seconds, "text": {"field": "seconds", "format": ",.1f"}}},
    ]
    return bars("stages", right=34, encoding={"y": by_name("stage", sort={"field": "order"})}, layer=layers)


ALONE, IN_NET = "the net's output, this layer alone quantized", "this layer's output, all quantized"
BY_LAYER = by_name("name", sort={"field": "order"}, limit=200, grid=True)


def layer_noise() -> Spec:
    """Plot the SQNR of each layer: quantized alone, and in the whole quantized net.

    Blanks: accent, ink. Data `layers`: {"name", "kind", "alone_db", "sqnr_db", "order"}.
    """
    what = {
        "field": "what",
        "type": "nominal",
        "legend": {"title": None, "orient": "top", "columns": 1, "labelLimit": 400},
    }
    kinds = [ALONE, IN_NET]
    transform = [
        {"fold": ["alone_db", "sqnr_db"], "as": ["key", "db"]},
        {"filter": "isValid(datum.db)"},
        {"calculate": f'datum.key === "alone_db" ? "{ALONE}" : "{IN_NET}"', "as": "what"},
    ]
    encoding = {
        "y": BY_LAYER,
        "x": quantitative("db", "SQNR (dB), less is worse", scale={"zero": False, "padding": 14}),
        "color": what | {"scale": {"domain": kinds, "range": ["@{accent}", "@{ink}"]}},
        "shape": what | {"scale": {"domain": kinds, "range": ["circle", "diamond"]}},
        "tooltip": tooltip_fields(("name", "layer"), ("kind", "kind"), ("what", "SQNR of"), ("db", "dB", ".1f")),
    }
    mark = {"type": "point", "filled": True, "size": 70, "opacity": 1}
    return bars("layers", step=20, transform=transform, mark=mark, encoding=encoding)


def layer_ranges() -> Spec:
    """Plot the range of each quantized activation and the range that the float net fills.

    Blanks: accent, ink. Data `layers`: {"name", "low", "high", "float_low", "float_high", "cut", "order"}.
    """
    tooltip = tooltip_fields(
        ("name", "layer"),
        ("low", "low", ".4f"),
        ("high", "high", ".4f"),
        ("float_low", "float net low", ".4f"),
        ("float_high", "float net high", ".4f"),
        ("cut", "cut off", ".3%"),
    )
    low = quantitative("low", "value of the activation", scale={"padding": 14})
    layers = [
        {"mark": {"type": "bar", "height": 11, "opacity": 0.55, "color": "@{accent}", "cornerRadius": 2},
         "encoding": {"x": low, "x2": {"field": "high"}}},
        {"mark": {"type": "rule", "strokeWidth": 2, "color": "@{ink}"},
         "encoding": {"x": {**low, "field": "float_low"}, "x2": {"field": "float_high"}}},
    ]  # fmt: skip
    return bars(
        "layers",
        step=20,
        transform=[{"filter": "isValid(datum.low)"}],
        encoding={"y": BY_LAYER, "tooltip": tooltip},
        layer=layers,
    )
