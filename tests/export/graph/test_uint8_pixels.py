"""uint8 NHWC input and output: the same pixels, bit for bit."""

from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto

from sr.export.graph.onnx_graph import Graph
from sr.export.graph.uint8_pixels import uint8_nhwc_io
from sr.export.release import reorder
from sr.export.runtime import on_cpu
from sr.functional.color import to_uint8


def declared(graph: Graph) -> list[tuple[int, list[int]]]:
    """Type and dimensions of input and output."""
    values = [value.type.tensor_type for value in (graph.model.graph.input[0], graph.model.graph.output[0])]
    return [(value.elem_type, [dim.dim_value for dim in value.shape.dim]) for value in values]


@pytest.mark.aimet
@pytest.mark.parametrize("scale", [1.5, 2])
@pytest.mark.parametrize("residual", ["none", "input_to_output"])
def test_a_quantized_net_is_bit_equal(
    scale: float, residual: str, tiny_net: Any, simulated: Any, qdq_graph: Any, pixels: torch.Tensor
) -> None:
    planes = reorder(qdq_graph(simulated(tiny_net(scale=scale, residual=residual))), merge=False)
    bytes_ = Graph(planes.model)
    uint8_nhwc_io(bytes_)
    side = int(24 * scale)
    assert declared(bytes_) == [(TensorProto.UINT8, [1, 24, 24, 3]), (TensorProto.UINT8, [1, side, side, 3])]
    assert bytes_.notes == ["uint8 NHWC input and output"]
    assert len(bytes_.of_type("QuantizeLinear")) == len(planes.of_type("QuantizeLinear")) - 1  # the input's; no new one
    for optimized in (False, True):
        a, b = (to_uint8(on_cpu(graph, optimized=optimized)(pixels)) for graph in (planes, bytes_))
        assert torch.equal(a, b)


def test_a_float_net_is_quantized_at_its_ends(tiny_net: Any, float_graph: Any, pixels: torch.Tensor) -> None:
    planes = float_graph(tiny_net(scale=2))
    bytes_ = Graph(planes.model)
    uint8_nhwc_io(bytes_)
    assert bytes_.notes == ["uint8 NHWC input and output (input and output quantized as pixels in addition)"]
    a, b = (to_uint8(on_cpu(graph, optimized=False)(pixels)).int() for graph in (planes, bytes_))
    assert (a - b).abs().max() <= 1 and (a != b).float().mean() < 1e-3  # ties: half up against half to even


@pytest.mark.aimet
def test_another_grid_at_an_end_is_kept(tiny_net: Any, simulated: Any, qdq_graph: Any, pixels: torch.Tensor) -> None:
    graph = reorder(qdq_graph(simulated(tiny_net(scale=2))), merge=False)
    graph.replace_initializer("input_scale", np.array(1.2 / 255, np.float32))
    before = to_uint8(on_cpu(graph, optimized=False)(pixels))
    uint8_nhwc_io(graph)
    assert graph.notes[-1].endswith("(input quantized as pixels in addition)")
    assert torch.equal(to_uint8(on_cpu(graph, optimized=False)(pixels)), before)
