"""Biases on the grid of the accumulator, which integer hardware takes for granted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from onnx import numpy_helper

from sr.export.graph.biases import biases_on_grid, lift_biases
from sr.export.graph.onnx_graph import Graph
from sr.export.graph.uint8_pixels import uint8_nhwc_io
from sr.export.hexagon.htp import on_htp
from sr.export.release import reorder
from sr.export.runtime import on_cpu
from sr.functional.color import to_uint8

pytestmark = pytest.mark.aimet


@pytest.fixture
def other_grid(tiny_net: Any, simulated: Any, qdq_graph: Any) -> Graph:
    """A net whose last bias is stored a thousand times finer than its accumulator."""
    graph = qdq_graph(simulated(tiny_net(residual="input_to_output")))
    for name, factor in (("conv_last.bias_scale", 1e-3), ("conv_last.bias_q", 1e3)):
        values = numpy_helper.to_array(graph.initializers[name])
        graph.replace_initializer(name, (values * factor).astype(values.dtype))
    return graph


def test_biases_on_the_grid_stay(tiny_net: Any, simulated: Any, qdq_graph: Any) -> None:
    graph = qdq_graph(simulated(tiny_net(scale=1.5, residual="input_to_output")))
    before = graph.model.SerializeToString()
    biases_on_grid(graph)
    assert graph.model.SerializeToString() == before and not graph.notes


def test_another_grid_is_left_and_the_value_kept(other_grid: Graph, pixels: torch.Tensor) -> None:
    before = on_cpu(other_grid, optimized=False)(pixels)
    biases_on_grid(other_grid)
    assert other_grid.notes == ["biases of /conv_last/Conv rounded to the grid of the accumulator"]
    conv = next(node for node in other_grid.of_type("Conv") if node.name == "/conv_last/Conv")
    image, weight, bias = (other_grid.producer(name) for name in conv.input)
    assert image and weight and bias
    accumulator = other_grid.quantizer(image)[0] * other_grid.quantizer(weight)[0]
    np.testing.assert_allclose(other_grid.quantizer(bias)[0], accumulator, rtol=1e-6)
    assert (to_uint8(on_cpu(other_grid, optimized=False)(pixels)).int() - to_uint8(before).int()).abs().max() <= 1


@pytest.mark.qnn
def test_the_htp_gives_noise_without_it(other_grid: Graph, pixels: torch.Tensor, tmp_path: Path) -> None:
    repaired = Graph(other_grid.model)
    biases_on_grid(repaired)
    largest = []
    for graph in (other_grid, repaired):
        uint8_nhwc_io(graph)
        runs = on_cpu(graph, optimized=False), on_htp(graph, arch=73, log=tmp_path / "qnn.log")
        ours, theirs = (to_uint8(run(pixels)).int() for run in runs)
        largest.append(int((ours - theirs).abs().max()))
    assert largest[0] > 20 and largest[1] <= 4


@pytest.mark.qnn
@pytest.mark.parametrize(("scale", "residual"), [(2, "none"), (1.5, "none"), (3, "input_to_output")])
def test_lifted_biases_keep_the_brightness_on_v69(
    scale: float, residual: str, tiny_net: Any, simulated: Any, qdq_graph: Any, tmp_path: Path
) -> None:
    graph = reorder(qdq_graph(simulated(tiny_net(scale=scale, residual=residual, m=3, f=16))), merge=False)
    lr = torch.rand(1, 3, 64, 64)
    uint8_nhwc_io(graph)
    truth = on_cpu(graph, optimized=True)(lr) * 255
    darker = on_htp(graph, arch=69, log=tmp_path / "qnn.log")(lr) * 255 - truth
    lift_biases(graph, 0.06)
    lifted = on_htp(graph, arch=69, log=tmp_path / "qnn.log")(lr) * 255 - truth
    assert darker.mean() < -0.05 and abs(lifted.mean()) < 0.75 * abs(darker.mean())


def test_wide_outputs_are_not_lifted(tiny_net: Any, simulated: Any, qdq_graph: Any) -> None:
    graph = reorder(qdq_graph(simulated(tiny_net(), activation_bits=16)), merge=False)
    before = graph.model.SerializeToString()
    lift_biases(graph, 0.06)
    assert graph.model.SerializeToString() == before
