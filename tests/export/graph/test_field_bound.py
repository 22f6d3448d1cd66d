"""How far the convolutions of an exported graph look."""

import pytest

from sr.cost.receptive_field import receptive_field
from sr.export.graph.field_bound import field_bound
from sr.export.graph.float_onnx import export_float
from sr.export.graph.onnx_graph import Graph
from sr.pretrained import find, load
from sr.upscale.opened_net import PIXEL_FILES


@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
def test_the_bound_covers_the_receptive_field(scale):
    (path,) = find("quicksrnet_small", scale).glob(PIXEL_FILES)
    bound, exact = field_bound(Graph.load(path)), receptive_field(load("quicksrnet_small", scale=scale))
    assert bound is not None and exact is not None and exact <= bound <= 2 * exact


@pytest.mark.parametrize("name", ["bicubicpp", "abpn", "fsrcnn", "xlsr", "edsr_mobile", "compact"])
def test_strides_and_blocks_count(make, tmp_path, name):
    net = make(name).eval()
    export_float(net, tmp_path / "net.onnx", height=32, width=32)
    bound, exact = field_bound(Graph.load(tmp_path / "net.onnx")), receptive_field(net)
    assert exact is not None and (bound is None or bound >= exact)


def test_a_graph_that_sees_everything_has_no_bound(make, tmp_path):
    export_float(make("rfdn").eval(), tmp_path / "net.onnx", height=32, width=32)
    assert field_bound(Graph.load(tmp_path / "net.onnx")) is None
