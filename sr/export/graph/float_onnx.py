"""The float net as an ONNX file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sr.models.blocks import NUM_CHANNELS, inference_form
from sr.runs.files import write_atomically

INPUT, OUTPUT = "input", "output"
ANY_SIDE = 96  # LR pixels to trace with where the size stays open: a multiple of every net's size_multiple
OPSET = 17  # has every float operator of the nets, and old runtimes read it


def export_float(net: nn.Module, path: Path, *, height: int | None, width: int | None) -> None:
    """Writes the inference form of a float net: NCHW floats in [0, 1] in and out, depth-to-space in CRD order.

    Args:
        net: any net of the project, on the CPU.
        path: the ONNX file.
        height: of the LR image in pixels; None with `width` None leaves the size open.
        width: of the LR image in pixels.
    """
    net = inference_form(net).eval()
    lr = torch.zeros(1, NUM_CHANNELS[str(net.color)], height or ANY_SIDE, width or ANY_SIDE)
    names: dict[str, Any] = {"input_names": [INPUT], "output_names": [OUTPUT]}
    if height is None:
        names["dynamic_axes"] = {INPUT: {2: "h", 3: "w"}, OUTPUT: {2: "H", 3: "W"}}

    def write(temporary: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracing exporter announces its end at every call
            torch.onnx.export(net, (lr,), str(temporary), opset_version=OPSET, dynamo=False, **names)

    write_atomically(path, write)
