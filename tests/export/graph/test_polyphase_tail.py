"""The polyphase tail computes the same pixels, and where it does not fit it says why and leaves the graph alone."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from sr.export.graph.dcr_order import depth_to_space_to_dcr
from sr.export.graph.onnx_graph import Graph, attribute
from sr.export.graph.polyphase_tail import NoPolyphaseTailError, polyphase_tail
from sr.export.release import reorder
from sr.export.runtime import on_cpu

NETS = {
    "x2": {},
    "x3": {"scale": 3},
    "x4": {"scale": 4},
    "with an anchor": {"residual": "input_to_output"},
}


class Ends(nn.Module):
    """A convolution and what stands between it and depth-to-space."""

    def __init__(self, *between: nn.Module, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 3, padding=1, stride=stride)
        self.between = nn.Sequential(*between)
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Return the shuffled output of `between`."""
        return self.shuffle(self.between(self.conv(lr)))


def rgb(net: nn.Module) -> nn.Module:
    """Mark any net as one of three colours, in evaluation mode, which is what the exporter asks for."""
    net.color = "rgb"
    return net.eval()


def in_polyphase_form(graph: Graph) -> Graph:
    """Return a copy of a graph in DCR order with the tail in polyphase form."""
    copy = Graph(graph.model)
    polyphase_tail(copy)
    return copy


@pytest.mark.aimet
@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("case", NETS)
def test_integers_are_bit_equal(
    case: str, per_channel: bool, tiny_net: Any, simulated: Any, qdq_graph: Any, pixels: torch.Tensor
) -> None:
    net = tiny_net(**NETS[case])
    plain = reorder(qdq_graph(simulated(net, per_channel=per_channel)), merge=False)
    fast = in_polyphase_form(plain)
    assert attribute(fast.of_type("DepthToSpace")[0], "blocksize") == 2 * net.scale
    assert "in polyphase form: stride 2" in fast.notes[-1]
    before, after = (on_cpu(graph, optimized=True)(pixels) for graph in (plain, fast))
    assert before.std() > 0.01
    assert torch.equal(before, after)


@pytest.mark.parametrize("case", NETS)
def test_floats_are_the_same_within_rounding(case: str, tiny_net: Any, float_graph: Any, pixels: torch.Tensor) -> None:
    plain = reorder(float_graph(tiny_net(**NETS[case])), merge=False)
    before, after = (on_cpu(graph, optimized=True)(pixels) for graph in (plain, in_polyphase_form(plain)))
    torch.testing.assert_close(before, after, rtol=0, atol=1e-6)


def test_a_1x1_tail_has_one_too(float_graph: Callable[..., Graph], pixels: torch.Tensor) -> None:
    net = rgb(nn.Sequential(nn.Conv2d(3, 12, 1), nn.PixelShuffle(2)))
    plain = reorder(float_graph(net), merge=False)
    fast = in_polyphase_form(plain)
    assert attribute(fast.of_type("Conv")[0], "kernel_shape") == [2, 2]
    torch.testing.assert_close(*(on_cpu(graph, optimized=True)(pixels) for graph in (plain, fast)), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (Ends(nn.Sigmoid()), "Sigmoid .* has no polyphase form"),
        (Ends(stride=2), "is not a plain convolution of stride 1"),
        (nn.Sequential(Ends(), Ends()), "has 2"),
        (nn.Conv2d(3, 3, 3, padding=1), "needs one depth-to-space, and the graph has 0"),
    ],
)
def test_where_it_does_not_fit_the_graph_stays(net: nn.Module, message: str, float_graph: Any) -> None:
    graph = float_graph(rgb(net))
    depth_to_space_to_dcr(graph)
    before = graph.model.SerializeToString()
    with pytest.raises(NoPolyphaseTailError, match=message):
        polyphase_tail(graph)
    assert graph.model.SerializeToString() == before


def test_crd_order_is_refused(float_graph: Callable[..., Graph]) -> None:
    with pytest.raises(NoPolyphaseTailError, match="is in CRD order"):
        polyphase_tail(float_graph(rgb(Ends())))
