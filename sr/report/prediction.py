"""Predict latency on a Snapdragon 8 Gen 1 by a linear fit to published measurements.

t = a + b * padded GMAC + c * pixels in and out + d * pixels behind a residual from input to output, no factor negative,
fitted to relative errors. Channels count in blocks of 32, in which the HTP keeps its activations. A prediction is no
measurement: every one carries the error that the fit makes on points that it has not seen.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from sr.report.net_facts import class_name, lr_height, lr_width, quantized_precision
from sr.report.published import Published, published
from sr.report.record import Report

DEVICES = ("Snapdragon 8 Gen 1", "QCS8450 (proxy of Snapdragon 8 Gen 1)")
SAVED = "latency_saved_by_removing_residual_share"
CHANNEL_BLOCK = 32
KERNEL_AREA = 9
MAX_SIZE = 1 << 14
"""Largest number of filters or layers that is a net's."""
PREDICTED_HEADING = "predicted ms, Snapdragon 8 Gen 1"
"""What a column of predictions is called."""
_PLAIN = ("quicksrnet", "abpn")  # nets that are plain stacks
UNSTATED_ABPN = {"f": 28, "m": 5}  # of the published rows, whose labels leave it out
UNSTATED = {"scale": 2, "lr_height": 512, "lr_width": 512}  # "about 512x512": table 2 against table 6


class Plain(NamedTuple):
    """A stack of 3x3 convolutions 3 -> f, m times f -> f, f -> 3 s**2 at a size of the LR image."""

    f: int
    m: int
    scale: int
    residual: bool
    lr_height: int
    lr_width: int

    def features(self) -> list[float]:
        """Return the features of the fit: 1, padded GMAC, megabytes of pixels, megapixels with a residual."""
        pixels, slots = self.lr_height * self.lr_width, 3 * self.scale**2
        wide, image, out = (-(-channels // CHANNEL_BLOCK) * CHANNEL_BLOCK for channels in (self.f, 3, slots))
        macs = KERNEL_AREA * wide * (image + self.m * wide + out) * pixels
        return [1.0, macs / 1e9, pixels * (3 + slots) / 1e6, self.residual * pixels / 1e6]


class Prediction(NamedTuple):
    """Predicted time in ms, with the relative errors on published points left out of the fit."""

    predicted_ms: float
    mean_error_share: float
    largest_error_share: float
    fitted_on: str


def predict(net: Plain) -> Prediction:
    """Predict the time of an INT8 net on a Snapdragon 8 Gen 1."""
    factors, (mean, largest), fitted_on = _fit()
    return Prediction(_milliseconds(factors, net), mean, largest, fitted_on)


def prediction_of(report: Report) -> Prediction | None:
    """Return the predicted time of a run's net at its size; None for a net that the fit does not cover."""
    model = report.config.get("model") or {}
    height, width = lr_height(report), lr_width(report)
    if height is None or width is None or quantized_precision(report) != "int8":
        return None
    net = plain_net(model | {"scale": report.scale}, class_name(model), (height, width))
    return predict(net) if net else None


def format_prediction_error(made: Prediction) -> str:
    """Format the errors of a prediction as a sentence."""
    mean, largest = 100 * made.mean_error_share, 100 * made.largest_error_share
    return (
        f"Predicted: off by {mean:.0f} % on average, {largest:.0f} % at most, on left-out points of {made.fitted_on}."
    )


def format_prediction_errors(reports: Iterable[Report]) -> list[str]:
    """Format the errors of all predictions as notes of a table; empty without predictions."""
    return sorted({format_prediction_error(made) for report in reports if (made := prediction_of(report))})


def plain_net(model: Mapping[str, Any], name: str, lr_size: tuple[int, int]) -> Plain | None:
    """Return the plain stack that a net is; None for another kind of net or a scale outside the fit.

    Args:
        model: its arguments.
        name: its class in lower case.
        lr_size: height and width.
    """
    scale = model.get("scale")
    sizes = [model.get(key) for key in ("f", "m")]
    unusual = model.get("image_space_conv") or model.get("residual") == "nearest"
    if name not in _PLAIN or scale not in (2, 3, 4) or unusual:
        return None
    if not all(type(size) is int and 0 <= size <= MAX_SIZE for size in sizes):
        return None
    residual = bool(model.get("anchor")) or model.get("residual", "none") != "none"
    return Plain(int(model["f"]), int(model["m"]), int(scale), residual, *lr_size)


def measured(values: Iterable[Published]) -> list[tuple[Plain, float]]:
    """Return the published INT8 latencies of plain nets on this chip in ms, also those given as savings."""
    values = [value for value in values if value.model["name"] in _PLAIN and value.precision == "int8"]
    on_chip = [value for value in values if value.conditions.get("device") in DEVICES]
    points = [(_plain(value), value.value) for value in on_chip if value.quantity == "latency_ms"]
    with_residual = {net for net, _ in points if net.residual}
    saved = {(v.table, v.label): v.value for v in on_chip if v.quantity == SAVED}
    for value in on_chip:
        share = saved.get((value.table, value.label)) if value.quantity == "latency_ms" else None
        net = _plain(value)._replace(residual=True)
        if share is not None and net not in with_residual:
            points.append((net, value.value / (1 - share)))
    return list(dict.fromkeys(points))


def fit_factors(points: Sequence[tuple[Plain, float]]) -> list[float]:
    """Fit the four factors by non-negative least squares of the relative errors."""
    from scipy.optimize import nnls  # here, because no table or --help should wait for it

    relative = [[feature / time for feature in net.features()] for net, time in points]
    return nnls(relative, [1.0] * len(points))[0].tolist()


def left_out_errors(points: Sequence[tuple[Plain, float]]) -> list[float]:
    """Return the relative error of each point's prediction by a fit to all other points."""
    others = ([*points[:i], *points[i + 1 :]] for i in range(len(points)))
    return [_milliseconds(fit_factors(rest), net) / time - 1 for rest, (net, time) in zip(others, points, strict=True)]


@functools.cache
def _fit() -> tuple[list[float], tuple[float, float], str]:
    points = measured(published())
    errors = [abs(error) for error in left_out_errors(points)]
    on = (
        f"{len(points)} published INT8 latencies on Snapdragon 8 Gen 1 (QuickSRNet tables 1, 2, 3, 6; AI Hub's QCS8450)"
    )
    return fit_factors(points), (fmean(errors), max(errors)), on


def _milliseconds(factors: Sequence[float], net: Plain) -> float:
    return sum(factor * feature for factor, feature in zip(factors, net.features(), strict=True))


def _plain(value: Published) -> Plain:
    """Return the net of a published latency; what its source leaves out is `UNSTATED`."""
    model = UNSTATED_ABPN | dict(value.model)
    scale = int(value.scale or UNSTATED["scale"])
    large_of_zoo = value.source == "AI Hub" and model["f"] == 64  # released with its residual
    residual = bool(model.get("anchor", model["name"] == "abpn")) or large_of_zoo
    height, width = (int(value.conditions.get(key, UNSTATED[key])) for key in ("lr_height", "lr_width"))
    return Plain(int(model["f"]), int(model["m"]), scale, residual, height, width)
