"""Charts of the layer sensitivity report."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

_DPI = 110  # pixels
_COLUMNS = 4  # histograms in a row


def layer_chart(layers: Sequence[dict[str, Any]], title: str) -> np.ndarray:
    """Draw two bars per layer: SQNR of the net with only this layer quantized, and of the layer in the quantized net.

    Args:
        layers: Result of `layer_sensitivity.layer_sensitivities`.
        title: Title of the chart.

    Returns:
        RGB picture (H, W, 3), uint8.
    """
    figure = _figure(9, 1.6 + 0.34 * len(layers))
    axes = figure.subplots()
    places = np.arange(len(layers))
    axes.barh(places - 0.2, [layer["alone_db"] for layer in layers], 0.38, label="output, this layer alone quantized")
    axes.barh(places + 0.2, [layer["sqnr_db"] for layer in layers], 0.38, label="this layer, everything quantized")
    axes.set_yticks(places, [f"{layer['name']} ({layer['kind']})" for layer in layers])
    axes.set_xlim(0, 1.05 * min(90, max(layer["alone_db"] for layer in layers)))
    axes.invert_yaxis()
    axes.set(xlabel="signal to quantization noise, dB (longer is better)", title=title)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.55 / figure.get_figheight() * 2.2), ncols=2, frameon=False)
    return _pixels(figure)


def range_chart(layers: Sequence[dict[str, Any]], title: str) -> np.ndarray:
    """Draw the quantizer range of each activation beside the values of the float net, with the share that is clipped.

    Args:
        layers: Result of `layer_sensitivity.layer_sensitivities`.
        title: Title of the chart.

    Returns:
        RGB picture (H, W, 3), uint8.
    """
    shown = [layer for layer in layers if "activation" in layer]
    figure = _figure(9, 1.6 + 0.34 * len(shown))
    axes = figure.subplots()
    for place, layer in enumerate(shown):
        facts = layer["activation"]
        axes.barh(place, facts["high"] - facts["low"], 0.7, left=facts["low"], color="lightsteelblue")
        axes.plot([facts["float_low"], facts["float_high"]], [place, place], color="black", marker="|")
        cut = 100 * (facts["cut_below"] + facts["cut_above"])
        axes.annotate(f" {cut:.2g} % cut", (max(facts["high"], facts["float_high"]), place), va="center", fontsize=8)
    axes.set_yticks(range(len(shown)), [layer["name"] for layer in shown])
    axes.margins(x=0.15)
    axes.invert_yaxis()
    axes.set(xlabel="value (bar: the grid; line: float net)", title=title)
    return _pixels(figure)


def weight_chart(layers: Sequence[dict[str, Any]], title: str) -> np.ndarray:
    """Draw a histogram of each kernel, with counts on a logarithmic scale.

    Args:
        layers: Result of `layer_sensitivity.layer_sensitivities`.
        title: Title of the chart.

    Returns:
        RGB picture (H, W, 3), uint8.
    """
    shown = [layer for layer in layers if "weights" in layer]
    rows = -(-len(shown) // _COLUMNS)
    figure = _figure(2.6 * _COLUMNS, 0.6 + 1.9 * rows)
    for axes, layer in zip(figure.subplots(rows, _COLUMNS, squeeze=False).flat, shown, strict=False):
        facts = layer["weights"]
        axes.stairs(facts["histogram"], facts["edges"], fill=True)
        axes.set_yscale("symlog")
        axes.set_title(f"{layer['name']}: {facts['sqnr_db']:.0f} dB", fontsize=8)
        axes.tick_params(labelsize=7)
    for axes in figure.axes[len(shown) :]:
        axes.set_visible(False)
    figure.suptitle(title)
    return _pixels(figure)


SENSITIVITY_CHARTS = {"layers": layer_chart, "ranges": range_chart, "weights": weight_chart}


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=_DPI, layout="constrained")


def _pixels(figure: Any) -> np.ndarray:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    buffer.seek(0)
    with Image.open(buffer) as image:
        return np.asarray(image.convert("RGB"))
