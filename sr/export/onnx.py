"""The float net as an ONNX file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sr.export.graph import Graph
from sr.models.blocks import CHANNELS, inference_form
from sr.rundir.files import write_atomically

INPUT, OUTPUT = "input", "output"
OPSET = 17  # has every float operator of the nets, and old runtimes read it


def export_float(net: nn.Module, path: Path, *, height: int, width: int) -> Graph:
    """Writes the inference form of a float net: NCHW floats in [0, 1] in and out, depth-to-space in CRD order.

    Args:
        net: any net of the project, on the CPU.
        path: the ONNX file.
        height: of the LR image; the file has this fixed size (`shape.free_shape` frees it).
        width: of the LR image.

    Returns:
        The graph that was written.
    """
    net = inference_form(net).eval()
    lr = torch.zeros(1, CHANNELS[str(net.color)], height, width)

    def write(temporary: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracing exporter announces its end at every call
            names: dict[str, Any] = {"input_names": [INPUT], "output_names": [OUTPUT]}
            torch.onnx.export(net, (lr,), str(temporary), opset_version=OPSET, dynamo=False, **names)

    write_atomically(path, write)
    return Graph.load(path)
