"""Exported graphs as functions: .tflite files."""

from pathlib import Path

import numpy as np
import pytest
from skimage import data

from sr.export.graph.onnx_graph import Graph
from sr.export.graph.shape import fix_shape, free_shape
from sr.export.litert.lowering import lower
from sr.pretrained import find
from sr.upscale.opened_net import PIXEL_FILES, open_net

IMAGE = np.ascontiguousarray(data.astronaut()[:30, :40])


def _tflite(folder: Path, description: str) -> Path:
    graph = Graph.load(next(find("quicksrnet_small", 2).glob(PIXEL_FILES)))
    free_shape(graph)
    fix_shape(graph, 30, 40)
    model, entry, result, _ = lower(graph, (30, 40), description)
    model.save(folder / "net.tflite", entry, result)
    return folder / "net.tflite"


def test_a_tflite_file_is_a_net(tmp_path, int8_net):
    path = _tflite(tmp_path, "net=QuickSRNet scheme=w8a8 scale=2 color=rgb size_multiple=1")
    opened = open_net(str(path))
    assert np.array_equal(opened(IMAGE), int8_net(IMAGE)) and opened.title.endswith("x2, int8 on litert")
    with pytest.raises(ValueError, match="holds an int8 net"):
        open_net(str(path), precision="fp32")


def test_a_tflite_file_of_somebody_else_is_refused(tmp_path):
    with pytest.raises(ValueError, match="it does not say its color, scale, scheme, size_multiple"):
        open_net(str(_tflite(tmp_path, "converted")))
    (tmp_path / "text.tflite").write_text("no model")
    with pytest.raises(ValueError, match=r"LiteRT does not take text\.tflite"):
        open_net(str(tmp_path / "text.tflite"))
