"""The chain of forms and what is compared in it: a wrong rewrite does not pass."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from sr.export.certificate import forms
from sr.export.certificate.proof import prove
from sr.export.graph.dcr_order import depth_to_space_to_dcr
from sr.export.graph.onnx_graph import Graph
from sr.export.release import build_release
from sr.functional.depth_to_space import crd_to_dcr as order_of


@pytest.mark.aimet
@pytest.mark.parametrize(
    "wrong", ["rows not permuted", "permuted backwards", "scales not permuted", "bias not permuted"]
)
def test_a_wrong_permutation_is_found(
    wrong: str, tiny_net: Any, simulated: Any, crops: Any, bounds: Any, tmp_path: Path
) -> None:
    net = tiny_net(scale=2, init="random")
    simulation = simulated(net)
    release = build_release(
        simulation, net, tmp_path, proof_size=(24, 24), target_size=(20, 28), space_to_depth="operator"
    )
    broken = Graph(release.crd.model)
    depth_to_space_to_dcr(broken)
    order = order_of(3, 2).numpy()
    names = [name for name in broken.initializers if name.startswith("conv_last.")]
    kinds = {"scales not permuted": ("weight_scale",), "bias not permuted": ("bias_q",)}.get(wrong, ("",))
    again = {"permuted backwards": order.argsort()}.get(wrong, np.arange(12))
    for name in names:
        if any(kind in name for kind in kinds):
            stored = onnx.numpy_helper.to_array(release.crd.initializers[name])
            broken.replace_initializer(name, stored[again])
    comparisons = forms.comparisons(release, simulation, bounds(), forms.HexagonResult({}, {}), [])
    for graph, holds in ((release.dcr, True), (broken, False)):
        changed = type(release)(**vars(release) | {"dcr": graph})
        compared = forms.all_forms(changed, simulation, net, forms.HexagonResult({}, {}))
        proof = prove(compared, comparisons, crops(2), net)
        found = [row for row in proof["links"] if (row["first"], row["second"]) == ("crd", "dcr")]
        assert [row["holds"] for row in found] == [holds]
