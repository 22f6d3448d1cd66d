"""Labels, units and directions of the numbers in reports."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sr.report.prediction import prediction_of
from sr.report.record import Report
from sr.report.table import estimates_ms


class Metric(NamedTuple):
    """Score of images: key in a report, label, whether more is better, decimals to show, least range of an axis."""

    key: str
    label: str
    higher_is_better: bool
    decimals: int
    least_range: float


class Axis(NamedTuple):
    """Cost: keys for the float and for the quantized net, label, kind, decimals to show.

    The kind is "npu" (the accelerator: compiler's estimates and predictions), "cpu" (measured) or "size".
    """

    key: str
    quantized_key: str
    label: str
    kind: str
    decimals: int


LOWER_IS_BETTER = ("niqe", "lpips", "pi", "perceptual_index", "rmse", "dists", "flicker", "block", "border_ratio")
CHANNELS = {"y": "Y", "rgb": "RGB"}
SIZES = {
    "macs_g": ("GMAC for an image", 1),
    "trainable_parameters": ("Trainable parameters", 0),
    "parameters": ("All parameters", 0),
    "activation_kib": ("Activations (KiB)", 0),
}
NO_SCORES = ("num_images", "hr_niqe", "hr_border_ratio")  # the last two are of the true images, the same for all nets
PREDICTED = "predicted_snapdragon_8_gen_1_ms"


def row_key(name: str) -> str:
    """Make a key of the page's rows from any name in a report: charts name keys in expressions and paths.

    >>> row_key("it's a.b_ms")
    'it_s_a_b_ms'
    """
    return re.sub(r"\W", "_", name)


def metric_of(key: str) -> Metric:
    """Describe a score by its key; the label of an unknown one is its key.

    >>> metric_of("psnr_y_db").label, metric_of("niqe").higher_is_better
    ('PSNR-Y (dB)', False)
    """
    if found := re.fullmatch(r"psnr_(\w+)_db", key):
        return Metric(key, f"PSNR-{CHANNELS.get(found[1], found[1])} (dB)", True, 2, 0.5)
    if found := re.fullmatch(r"ssim_(\w+)", key):
        return Metric(key, f"SSIM-{CHANNELS.get(found[1], found[1])}", True, 4, 0.02)
    lower = any(part in LOWER_IS_BETTER for part in (key, key.split("_")[0]))
    label = key.upper() if len(key) <= 5 else key.replace("_", " ")
    return Metric(key, label, not lower, 3, 0.2)


def metrics_of(scores: Iterable[dict[str, Any]]) -> list[Metric]:
    """Return the metrics that any of the scores holds, PSNR and SSIM first."""
    keys = dict.fromkeys(
        key for score in scores for key, value in score.items() if is_number(value) and key not in NO_SCORES
    )
    ordered = sorted(keys, key=lambda key: (not key.startswith("psnr"), not key.startswith("ssim")))
    return [metric_of(key) for key in ordered]


def is_number(value: Any) -> bool:
    """Return whether a value is a number, or a text that stands for a number which JSON lacks."""
    return (isinstance(value, (int, float)) and not isinstance(value, bool)) or value in ("inf", "-inf", "nan")


def costs(report: Report) -> dict[str, float]:
    """Return all costs of a run in one level, with the chips' estimates and the predicted time; keys end in units."""
    found: dict[str, float] = {}
    for name, value in report.cost.items():
        if is_number(value):
            found[row_key(name)] = float(value)
        elif isinstance(value, dict):
            found |= {
                f"{row_key(name)}_{part.removeprefix('median_')}": float(number)
                for part, number in value.items()
                if part in ("median_ms", "ms", "predicted_ms") and is_number(number)
            }
    if made := prediction_of(report):
        found[PREDICTED] = made.predicted_ms
    estimates = {f"estimate_{row_key(chip)}_ms": ms for chip, ms in estimates_ms(report).items()}
    return found | estimates


def axes_of(found: Sequence[dict[str, float]]) -> list[Axis]:
    """Return the costs that any of the runs has, NPU first, then CPU, then sizes."""
    keys = list(dict.fromkeys(key for costs in found for key in costs))
    axes = [Axis(key, key, _npu_label(key), "npu", 3) for key in keys if re.match(r"(estimate|.*predicted).*_ms$", key)]
    torch, runtime = "latency_torch_cpu_ms", "latency_onnxruntime_cpu_ms"
    if torch in keys:
        both = runtime in keys
        label = "CPU, measured (ms): FP32 PyTorch" + (", INT8 ONNX Runtime" if both else "")
        axes.append(Axis(torch, runtime if both else torch, label, "cpu", 1))
    if all(costs.get("trainable_parameters") == costs.get("parameters") for costs in found):
        keys = [key for key in keys if key != "parameters"]
    return axes + [Axis(key, key, label, "size", decimals) for key, (label, decimals) in SIZES.items() if key in keys]


def _npu_label(key: str) -> str:
    """Return the label of a compiler's estimate or of a prediction."""
    if found := re.fullmatch(r"estimate_(\w+)_ms", key):
        return f"HTP estimate of the compiler, {found[1]} (ms)"
    return (
        "Predicted, Snapdragon 8 Gen 1 (ms)"
        if key == PREDICTED
        else f"{key.removesuffix('_ms').replace('_', ' ')} (ms)"
    )
