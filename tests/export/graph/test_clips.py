"""Clips that the quantizer behind them does already are dropped, those that clip stay."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from sr.export.graph.clips import drop_redundant_clips
from sr.export.graph.onnx_graph import Graph
from sr.export.runtime import on_cpu


@pytest.mark.aimet
def test_every_clip_of_a_quantized_net_goes_and_no_value_changes(
    tiny_net: Callable[..., nn.Module], simulated: Any, qdq_graph: Any, pixels: torch.Tensor
) -> None:
    graph = qdq_graph(simulated(tiny_net(residual="input_to_output")))
    before = on_cpu(graph, optimized=False)(pixels)
    drop_redundant_clips(graph)
    assert not graph.of_type("Clip")
    assert graph.notes == ["dropped 3 clips that the quantizer behind them does already"]
    assert torch.equal(on_cpu(graph, optimized=False)(pixels), before)


def test_a_float_net_keeps_its_clips(tiny_net: Callable[..., nn.Module], float_graph: Callable[..., Graph]) -> None:
    graph = float_graph(tiny_net())
    drop_redundant_clips(graph)
    assert len(graph.of_type("Clip")) == 3 and not graph.notes


@pytest.mark.parametrize(
    ("op", "scale", "zero_point", "stays"),
    [
        ("Clip", 1 / 255, 0, False),
        ("Clip", 1.1 / 255, 0, True),
        ("Clip", 1 / 255, 5, True),
        ("Relu", 0.1, 0, False),
        ("Relu", 0.1, 9, True),
    ],
)
def test_a_clip_inside_the_range_of_its_quantizer_stays(op: str, scale: float, zero_point: int, stays: bool) -> None:
    arrays = {"s": np.float32(scale), "z": np.uint8(zero_point), "low": np.float32(0), "high": np.float32(1)}
    bounds = ["low", "high"] if op == "Clip" else []
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node(op, ["d", *bounds], ["c"]),
        helper.make_node("QuantizeLinear", ["c", "s", "z"], ["q2"]),
        helper.make_node("DequantizeLinear", ["q2", "s", "z"], ["y"]),
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 2, 2]) for name in "xy"]
    initializers = [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]
    made = helper.make_graph(nodes, "test", values[:1], values[1:], initializers)
    graph = Graph(helper.make_model(made, opset_imports=[helper.make_opsetid("", 21)], ir_version=10))
    drop_redundant_clips(graph)
    assert bool(graph.of_type(op)) == stays
