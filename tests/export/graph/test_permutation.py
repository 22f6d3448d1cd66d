"""Channels permuted in constants: the result is the permuted tensor, or a refusal that changes nothing."""

from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from sr.export.graph.onnx_graph import Graph
from sr.export.graph.permutation import CannotPermuteError, Plan, in_blocks, unshare_constants

ORDER = np.array([2, 0, 3, 1])
RNG = np.random.default_rng(0)


def conv(
    name: str, source: str, *, channels: int = 3, rows: int = 4, group: int = 1
) -> tuple[NodeProto, dict[str, Any]]:
    """A 3x3 convolution with random weights, and these."""
    weight = RNG.standard_normal((rows, channels // group, 3, 3)).astype(np.float32)
    arrays = {f"{name}.w": weight, f"{name}.b": RNG.standard_normal(rows).astype(np.float32)}
    return helper.make_node("Conv", [source, *arrays], [name], name=name, pads=[1, 1, 1, 1], group=group), arrays


def graph_of(*parts: Any, last: str) -> Graph:
    """x (1, 3, 5, 5) -> nodes -> Sigmoid of `last`, which is y."""
    nodes = [part[0] if isinstance(part, tuple) else part for part in parts]
    arrays = {name: array for part in parts if isinstance(part, tuple) for name, array in part[1].items()}
    nodes.append(helper.make_node("Sigmoid", [last], ["y"], name="reader"))
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 5, 5])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    initializers = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    made = helper.make_graph(nodes, "test", [image], [result], initializers)
    return Graph(helper.make_model(made, opset_imports=[helper.make_opsetid("", 21)], ir_version=10))


def run(graph: Graph) -> np.ndarray:
    """The result for the same random image."""
    session = onnxruntime.InferenceSession(graph.model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": np.random.default_rng(1).standard_normal((1, 3, 5, 5)).astype(np.float32)})[0]


def permute(graph: Graph, tensor: str, order: np.ndarray = ORDER) -> None:
    """Permutes what the Sigmoid reads."""
    plan = Plan(graph)
    plan.activation(graph.of_type("Sigmoid")[-1], tensor, order)
    plan.apply()


def slopes() -> tuple[NodeProto, dict[str, Any]]:
    """A PReLU with a slope for each of four channels."""
    return helper.make_node("PRelu", ["a", "p"], ["z"]), {"p": RNG.random((4, 1, 1)).astype(np.float32)}


CASES = {
    "convolution": lambda: graph_of(conv("z", "x"), last="z"),
    "through activations": lambda: graph_of(
        conv("a", "x"), helper.make_node("Relu", ["a"], ["r"]), helper.make_node("Tanh", ["r"], ["z"]), last="z"
    ),
    "sum of two branches": lambda: graph_of(
        conv("a", "x"), conv("b", "x"), helper.make_node("Add", ["a", "b"], ["z"]), last="z"
    ),
    "sum with one channel for all": lambda: graph_of(
        conv("a", "x"), conv("b", "x", rows=1), helper.make_node("Add", ["a", "b"], ["z"]), last="z"
    ),
    "product with a constant for each channel": lambda: graph_of(
        conv("a", "x"),
        (helper.make_node("Mul", ["a", "c"], ["z"]), {"c": RNG.random((4, 1, 1)).astype(np.float32)}),
        last="z",
    ),
    "sum with a scalar": lambda: graph_of(
        conv("a", "x"), (helper.make_node("Add", ["a", "c"], ["z"]), {"c": np.float32([0.5])}), last="z"
    ),
    "a branch that joins itself": lambda: graph_of(
        conv("a", "x"), helper.make_node("Relu", ["a"], ["r"]), helper.make_node("Add", ["a", "r"], ["z"]), last="z"
    ),
    "slopes": lambda: graph_of(conv("a", "x"), slopes(), last="z"),
    "depthwise convolution": lambda: graph_of(conv("a", "x"), conv("z", "a", channels=4, group=4), last="z"),
    "whole inputs of a concat": lambda: graph_of(
        *(conv(name, "x", rows=1) for name in "abcd"), helper.make_node("Concat", list("abcd"), ["z"], axis=1), last="z"
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_permuted_constants_permute_the_channels(case: str) -> None:
    graph = CASES[case]()
    before = run(graph)
    permute(graph, "z")
    np.testing.assert_allclose(run(graph), before[:, ORDER], rtol=1e-6)


REFUSALS = {
    "the net's own input": (lambda: graph_of(last="x"), "x", "own input or output", ORDER[:3]),
    "a second reader": (
        lambda: graph_of(
            conv("a", "x"), helper.make_node("Relu", ["a"], ["r"]), conv("other", "a", channels=4),
            helper.make_node("Add", ["r", "other"], ["z"]), last="z"
        ), "z", "also read by Conv", ORDER,
    ),
    "groups": (
        lambda: graph_of(conv("a", "x"), conv("z", "a", channels=4, group=2), last="z"), "z", "in 2 groups", ORDER
    ),
    "an op that mixes": (
        lambda: graph_of(conv("a", "x"), helper.make_node("LRN", ["a"], ["z"], size=3), last="z"),
        "z", "LRN .* does not treat", ORDER,
    ),
    "half an input of a concat": (
        lambda: graph_of(
            conv("a", "x", rows=2), conv("b", "x", rows=2),
            helper.make_node("Concat", ["a", "b"], ["z"], axis=1), last="z"
        ), "z", "cut inside", ORDER,
    ),
    "the raw image added": (
        lambda: graph_of(conv("a", "x", rows=3), helper.make_node("Add", ["a", "x"], ["z"]), last="z"),
        "z", "own input or output", np.array([2, 0, 1]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_says_why_and_changes_nothing(case: str) -> None:
    make, tensor, message, order = REFUSALS[case]
    graph = make()
    before = graph.model.SerializeToString()
    with pytest.raises(CannotPermuteError, match=message):
        permute(graph, tensor, order)
    assert graph.model.SerializeToString() == before


def test_shared_constants_are_parted_first() -> None:
    first, arrays = conv("a", "x")
    second = helper.make_node("Conv", ["x", "a.w", "same"], ["b"], name="b", pads=[1, 1, 1, 1])
    graph = graph_of(
        (first, arrays),
        helper.make_node("Identity", ["a.b"], ["same"]),
        second,
        helper.make_node("Neg", ["b"], ["n"]),
        helper.make_node("ReduceMean", ["n"], ["m"], keepdims=1),
        helper.make_node("Add", ["a", "m"], ["z"]),
        last="z",
    )
    before = run(graph)
    unshare_constants(graph)
    assert not graph.of_type("Identity")
    np.testing.assert_array_equal(run(graph), before)
    weights = {node.input[1] for node in graph.of_type("Conv")} | {node.input[2] for node in graph.of_type("Conv")}
    assert len(weights) == 4


@pytest.mark.parametrize("mode", ["CRD", "DCR"])
def test_order_in_front_of_a_depth_to_space(mode: str) -> None:
    order = np.array([1, 2, 0])
    planes = RNG.standard_normal((1, 12, 2, 2)).astype(np.float32)
    node = helper.make_node("DepthToSpace", ["x"], ["y"], blocksize=2, mode=mode)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy"]
    model = helper.make_model(
        helper.make_graph([node], "test", values[:1], values[1:]),
        opset_imports=[helper.make_opsetid("", 21)],
        ir_version=10,
    )
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    before = session.run(None, {"x": planes})[0]
    after = session.run(None, {"x": planes[:, in_blocks(order, 2, mode)]})[0]
    np.testing.assert_array_equal(after, before[:, order])
