"""Loading the HTP compiler, keeping it off the screen, and naming what it cannot run."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from sr.export.hexagon import qnn_session
from sr.export.hexagon.chips import CHIPS


def test_where_the_package_is_missing_it_says_what_to_do() -> None:
    code = "import sys; sys.modules['onnxruntime_qnn'] = None; from sr.export.hexagon import qnn_session; "
    code += "print(qnn_session.why_hexagon_is_missing())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.startswith("onnxruntime-qnn, the Hexagon compiler, is not installed on this ")
    assert "pip install onnxruntime-qnn" in said or "Linux x86-64 and Windows only" in said


def context(path: Path, *op_types: str) -> Path:
    """A model with these nodes in a row."""
    names = ["x", *(f"t{i}" for i in range(len(op_types)))]
    nodes = [
        helper.make_node(op, [a], [b], domain="com.microsoft" if op == "EPContext" else "", ep_cache_context="net.bin")
        for op, a, b in zip(op_types, names, names[1:], strict=False)
    ]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in (names[0], names[-1])]
    onnx.save(helper.make_model(helper.make_graph(nodes, "test", values[:1], values[1:])), str(path))
    return path


def test_a_compiled_net_is_one_node(tmp_path: Path) -> None:
    assert qnn_session.single_node(context(tmp_path / "a.onnx", "EPContext")) == "net.bin"
    with pytest.raises(ValueError, match="must be one compiled node, got: EPContext , Relu"):
        qnn_session.single_node(context(tmp_path / "b.onnx", "EPContext", "Relu"))


@pytest.mark.qnn
def test_an_op_that_the_htp_cannot_run_is_named(tmp_path: Path, capfd: Any) -> None:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 8, 8]) for name in "xy"]
    nodes = [helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Det", ["a"], ["d"], name="unheard_of")]
    nodes.append(helper.make_node("Unsqueeze", ["d", "axes"], ["u"]))
    nodes.append(helper.make_node("Add", ["x", "u"], ["y"]))
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])
    graph = helper.make_graph(nodes, "test", values[:1], values[1:], [axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with pytest.raises(ValueError, match=r"does not compile for the HTP .* run on the CPU: .*Det unheard_of"):
        qnn_session.open_session(
            model.SerializeToString(), qnn_session.backend(CHIPS["SM8550"]), {}, tmp_path / "qnn.log"
        )
    assert capfd.readouterr() == ("", "")
