"""The net of a run in the terms of the published values: name, arguments, precision and image size."""

import re
from collections.abc import Mapping
from math import ceil
from typing import Any, NamedTuple

from sr.report.record import Report


class ScoredNet(NamedTuple):
    """Net that a stage scored: name, arguments, kind of training, precision and scheme."""

    name: str
    arguments: Mapping[str, Any]
    task: str
    precision: str | None
    scheme: Mapping[str, Any]


def quantized_precision(report: Report) -> str:
    """Return the precision of a run's quantized net: "int8", "fp16", or such as "w4a8"."""
    scheme = report.config.get("quantization") or {}
    weights, activations = scheme.get("weight_bits"), scheme.get("activation_bits")
    if scheme.get("numbers") == "float":
        return f"fp{weights}"
    return "int8" if (weights, activations) == (8, 8) else f"w{weights}a{activations}"


def net_of(report: Report, stage: str, precision: str | None) -> ScoredNet:
    """Describe the net of a stage in the terms of the published values."""
    if stage == "bicubic":
        return ScoredNet("bicubic", {}, "regression", None, {})
    model, task = report.config.get("model") or {}, report.config.get("task") or {}
    adversarial = ".gan." in str(task.get("_target_"))
    scheme = dict(report.config.get("quantization") or {})
    scheme["chain"] = list(scheme.get("chain") or [])
    return ScoredNet(class_name(model), model, "gan" if adversarial else "regression", precision, scheme)


def class_name(node: Any) -> str:
    """Return the lower-case class name of a config node: "sr.models.quicksrnet.QuickSRNet" -> "quicksrnet".

    A net that filters were pruned from is "quicksrnet_narrow", which no published value is of.
    """
    if not isinstance(node, Mapping):
        return ""
    name = str(node.get("_target_", "")).rpartition(".")[2].lower()
    return f"{class_name(node['net'])}_{name}" if isinstance(node.get("net"), Mapping) else name


def lr_height(report: Report) -> int | None:
    """Return the height of the LR image that a run was compiled for: 540 for "1080p" at x2 or "540x960"."""
    size = str(_inside(report.config, "export", "size") or "")
    if found := re.fullmatch(r"(\d+)x\d+", size):
        return int(found[1])
    found = re.fullmatch(r"(\d+)p", size)
    return ceil(int(found[1]) / report.scale) if found else None


def lr_width(report: Report) -> int | None:
    """Return the width of that image; the targets are 16:9."""
    size = str(_inside(report.config, "export", "size") or "")
    if found := re.fullmatch(r"\d+x(\d+)", size):
        return int(found[1])
    found = re.fullmatch(r"(\d+)p", size)
    return ceil(int(found[1]) * 16 / 9 / report.scale) if found else None


def _inside(content: Mapping[str, Any], *keys: str) -> Any:
    """Return a value inside nested mappings; None if any level lacks it."""
    value: Any = content
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
