"""The float net as an ONNX file, in its inference form, of fixed and of open size."""

from pathlib import Path
from typing import Any

import pytest
import torch

from sr.export.graph.float_onnx import export_float
from sr.export.graph.onnx_graph import Graph
from sr.export.runtime import on_cpu
from sr.models.blocks import inference_form

NETS: list[dict[str, Any]] = [
    {"scale": 1.5},
    {"scale": 2},
    {"scale": 3, "residual": "input_to_output"},
    {"residual": "nearest"},
    {"scale": 1.5, "residual": "nearest"},
    {"overparameterize": "sesr"},
]


@pytest.mark.parametrize("changes", NETS)
def test_gives_the_pixels_of_the_net(changes: dict[str, Any], tiny_net: Any, tmp_path: Path) -> None:
    net = tiny_net(**changes)
    export_float(net, tmp_path / "float.onnx", height=12, width=16)
    lr = torch.rand(1, 3, 12, 16)
    with torch.no_grad():
        expected = inference_form(net)(lr)
    made = on_cpu(Graph.load(tmp_path / "float.onnx"), optimized=True)(lr)
    torch.testing.assert_close(made, expected, rtol=0, atol=1e-5)


def test_open_size(tiny_net: Any, tmp_path: Path) -> None:
    net = tiny_net(scale=1.5)  # PixelUnshuffle, whose reshape the exporter computes from the input then
    export_float(net, tmp_path / "float.onnx", height=None, width=None)
    run = on_cpu(Graph.load(tmp_path / "float.onnx"), optimized=False)
    for size in ((8, 12), (10, 6)):
        lr = torch.rand(1, 3, *size)
        with torch.no_grad():
            torch.testing.assert_close(run(lr), net(lr), rtol=0, atol=1e-5)
