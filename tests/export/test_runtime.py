"""Exported files as functions on tensors and as upscalers of images."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sr.evaluation import upscaler
from sr.export.graph.onnx_graph import Graph
from sr.export.graph.shape import free_shape
from sr.export.graph.uint8_pixels import uint8_nhwc_io
from sr.export.release import facts, reorder
from sr.export.runtime import MAX_SESSIONS, Runtime, load_onnx, on_cpu, torch_runtime, upscaler_of


@pytest.mark.parametrize("scale", [1.5, 2])
def test_a_file_upscales_images_of_any_size_as_the_net_does(
    scale: float, tiny_net: Any, float_graph: Any, tmp_path: Path
) -> None:
    net = tiny_net(scale=scale)
    graph = reorder(float_graph(net), merge=False)
    uint8_nhwc_io(graph)
    free_shape(graph)
    graph.describe(facts(net, "fp32"))
    upscale = load_onnx(graph.save(tmp_path / "pixels.onnx"))
    for height, width in ((9, 14), (12, 7)):
        lr = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
        ours, theirs = upscale(lr), upscaler(net)(lr)
        assert ours.shape == theirs.shape == (np.ceil(height * scale), np.ceil(width * scale), 3)
        assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_a_luma_net_gets_luma(tiny_net: Any, float_graph: Any) -> None:
    class Luma(torch.nn.Sequential):
        scale, color, size_multiple = 2, "y", 1

    torch.manual_seed(0)
    net = Luma(torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.PixelShuffle(2)).eval()
    graph = float_graph(net)
    free_shape(graph)
    graph.describe(facts(net, "fp32"))
    lr = np.random.default_rng(0).integers(0, 256, (9, 8, 3), dtype=np.uint8)
    ours = upscaler_of(graph, on_cpu(graph, optimized=True))(lr)
    assert np.abs(ours.astype(int) - upscaler(net)(lr)).max() <= 1


def test_a_session_for_each_size_and_only_the_last_few(tiny_net: Any, float_graph: Any) -> None:
    opened = []

    def open_session(graph: Graph) -> Any:
        opened.append([dim.dim_value for dim in graph.model.graph.input[0].type.tensor_type.shape.dim][2:])
        return on_cpu(graph, optimized=True).session(*opened[-1])

    run = Runtime(float_graph(tiny_net()), open_session, any_size=False)
    for side in (8, 9, 8):
        assert run(torch.rand(1, 3, side, 8)).shape == (1, 3, 2 * side, 16)
    assert opened == [[8, 8], [9, 8]]
    for side in range(10, 10 + MAX_SESSIONS):
        run.session(side, 8)
    run.session(9, 8)
    assert len(opened) == 2 + MAX_SESSIONS + 1


def test_torch_runs_in_evaluation_mode_to_plain_tensors(tiny_net: Any) -> None:
    net = torch.nn.Sequential(torch.nn.Dropout(0.9), tiny_net()).train()
    made = torch_runtime(net)(torch.ones(1, 3, 8, 8))
    assert type(made) is torch.Tensor and not made.requires_grad
    assert torch.equal(made, torch_runtime(net)(torch.ones(1, 3, 8, 8)))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no ONNX file at"):
        load_onnx(tmp_path / "pixels.onnx")


def test_a_file_of_another_project(tiny_net: Any, float_graph: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not say its 'color'"):
        load_onnx(float_graph(tiny_net()).save(tmp_path / "a.onnx"))
