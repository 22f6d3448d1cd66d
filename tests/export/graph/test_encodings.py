"""A float file and its encodings carry the integers of the quantized file, in DCR order."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from sr.export.graph.encodings import split_quantizers
from sr.export.release import reorder
from sr.functional.depth_to_space import crd_to_dcr

pytestmark = pytest.mark.aimet


@pytest.mark.parametrize(("scale", "residual"), [(2, "none"), (1.5, "input_to_output")])
def test_encodings_are_those_of_aimet_with_rows_permuted(
    scale: float, residual: str, tiny_net: Any, simulated: Any, qdq_graph: Any
) -> None:
    simulation = simulated(tiny_net(scale=scale, residual=residual))
    _, made = split_quantizers(reorder(qdq_graph(simulation), merge=False))
    theirs = simulation.encodings("1.0.0")
    assert made["version"] == theirs["version"] == "1.0.0"
    reference = {entry["name"]: entry for entry in (*theirs["param_encodings"], *theirs["activation_encodings"])}
    last = [entry["name"] for entry in made["param_encodings"] if len(entry["scale"]) in (12, 27)]
    assert len(last) == (2 if residual != "none" else 1)
    for entry in (*made["param_encodings"], *made["activation_encodings"]):
        expected = dict(reference[entry["name"]])
        if entry["name"] in last:
            order = crd_to_dcr(3, 3 if scale == 1.5 else 2).numpy()
            expected |= {key: np.array(expected[key])[order].tolist() for key in ("scale", "offset")}
        assert entry == {key: expected[key] for key in entry}
    assert {entry["name"] for entry in made["activation_encodings"]} >= {"input", "output"}


def test_float_weights_lie_on_their_grid(tiny_net: Any, simulated: Any, qdq_graph: Any) -> None:
    graph = reorder(qdq_graph(simulated(tiny_net(residual="input_to_output"))), merge=False)
    plain, made = split_quantizers(graph)
    onnx.checker.check_model(plain.model, full_check=True)
    assert not plain.of_type("QuantizeLinear", "DequantizeLinear")
    assert len(made["param_encodings"]) == 4
    for entry in made["param_encodings"]:
        values = numpy_helper.to_array(plain.initializers[entry["name"]])
        integers = np.rint(values / np.float32(entry["scale"]).reshape(-1, 1, 1, 1)).astype(np.int8)
        np.testing.assert_array_equal(integers, numpy_helper.to_array(graph.initializers[f"{entry['name']}_q"]))
        assert set(entry["offset"]) == {-128} and entry["is_sym"] and entry["enc_type"] == "PER_CHANNEL"
