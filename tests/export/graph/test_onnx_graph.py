"""The index over an ONNX model, encodings, and files that are whole or absent."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sr.export.graph.onnx_graph import PIXEL_GRID, Encoding, Graph, attribute, dequantized, set_attribute


def chain(*nodes: onnx.NodeProto, arrays: dict[str, np.ndarray] | None = None) -> Graph:
    """A graph from x to y, both (1, 4, 6, 6)."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 6, 6]) for name in "xy"]
    initializers = [numpy_helper.from_array(array, name) for name, array in (arrays or {}).items()]
    graph = helper.make_graph(list(nodes), "test", values[:1], values[1:], initializers)
    return Graph(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10))


def test_producers_consumers_and_outputs() -> None:
    graph = chain(helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Neg", ["a"], ["y"]))
    producer = graph.producer("a")
    assert producer is not None and producer.op_type == "Relu"
    assert [node.op_type for node in graph.consumers("a")] == ["Neg"]
    assert graph.only_consumer("y") is None and graph.is_output("y") and not graph.is_output("a")


def test_a_rewrite_leaves_the_callers_model_alone() -> None:
    graph = chain(helper.make_node("Relu", ["x"], ["y"]))
    copy = Graph(graph.model)
    copy.nodes[0].op_type = "Neg"
    assert graph.nodes[0].op_type == "Relu"


def test_constant_looks_behind_dequantize_linear() -> None:
    arrays = {"q": np.array([[-2], [3]], np.int8), "s": np.array([0.5, 2], np.float32), "z": np.zeros(2, np.int8)}
    graph = chain(
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["w"], axis=0),
        helper.make_node("Add", ["x", "w"], ["y"]),
        arrays=arrays,
    )
    values = graph.constant("w")
    assert values is not None and values.tolist() == [[-1.0], [6.0]]
    assert graph.constant("x") is None


def test_dequantized_per_tensor() -> None:
    assert dequantized(np.array([0, 255], np.uint8), np.float32(1 / 255), np.uint8(0), axis=0)[1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("dtype", "zero_point", "low", "high"), [("uint8", 0, 0, 255), ("int8", 0, -128, 127), ("int4", 1, -9, 6)]
)
def test_range_of_an_encoding(dtype: str, zero_point: int, low: float, high: float) -> None:
    encoding = Encoding(1.0, zero_point, dtype)
    assert (encoding.low, encoding.high) == (low, high)


def test_encodings_agree_up_to_the_rounding_of_their_scale() -> None:
    assert PIXEL_GRID.agrees(Encoding(1 / 255, 0, "uint8"))
    assert not PIXEL_GRID.agrees(Encoding(1 / 254, 0, "uint8"))
    assert not PIXEL_GRID.agrees(Encoding(1 / 255, 1, "uint8"))


def test_prune_drops_what_nobody_reads() -> None:
    graph = chain(
        helper.make_node("Add", ["x", "c"], ["dead"]),
        helper.make_node("Relu", ["x"], ["y"]),
        arrays={"c": np.ones(1, np.float32)},
    )
    graph.prune()
    assert [node.op_type for node in graph.nodes] == ["Relu"] and not graph.initializers


def test_rewire_spares_the_nodes_named() -> None:
    first, second = helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Add", ["a", "a"], ["y"])
    graph = chain(first, second)
    graph.rewire("a", "x", besides=[graph.nodes[1]])
    assert list(graph.nodes[1].input) == ["a", "a"]
    graph.rewire("a", "x")
    assert list(graph.nodes[1].input) == ["x", "x"]


def test_attributes_are_read_and_replaced() -> None:
    node = helper.make_node("DepthToSpace", ["x"], ["y"], blocksize=2, mode="CRD")
    set_attribute(node, "mode", "DCR")
    assert attribute(node, "mode") == "DCR" and attribute(node, "axis", 7) == 7 and len(node.attribute) == 2


def test_facts_travel_with_the_file(tmp_path: Path) -> None:
    graph = chain(helper.make_node("Relu", ["x"], ["y"]))
    graph.describe({"scale": 1.5, "color": "rgb"})
    assert Graph.load(graph.save(tmp_path / "a.onnx")).metadata == {"scale": "1.5", "color": "rgb"}


def test_a_broken_graph_is_not_written(tmp_path: Path) -> None:
    graph = chain(helper.make_node("Relu", ["nobody makes this"], ["y"]))
    with pytest.raises(onnx.checker.ValidationError):
        graph.save(tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())
