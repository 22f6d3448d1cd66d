"""DCR order gives the pixels of CRD order, for every scale, with and without residual, float and quantized."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from onnx import numpy_helper
from torch import nn

from sr.export.graph.dcr_order import depth_to_space_to_dcr
from sr.export.graph.onnx_graph import Graph, attribute
from sr.export.release import reorder
from sr.export.runtime import on_cpu
from sr.functional.color import to_uint8
from sr.functional.depth_to_space import crd_to_dcr as order_of
from sr.models.blocks import Add

NETS = [(scale, residual) for scale in (1.5, 2, 3, 4) for residual in ("none", "input_to_output")]
NETS += [(2, "nearest")]


def modes(graph: Graph) -> list[str]:
    """The order of each DepthToSpace."""
    return [attribute(node, "mode") for node in graph.of_type("DepthToSpace")]


@pytest.mark.parametrize(("scale", "residual"), NETS)
def test_a_float_net_is_the_same(
    scale: float, residual: str, tiny_net: Any, float_graph: Callable[..., Graph], pixels: torch.Tensor
) -> None:
    graph = float_graph(tiny_net(scale=scale, residual=residual))
    before = on_cpu(graph, optimized=False)(pixels)
    assert modes(graph) == ["CRD"]
    depth_to_space_to_dcr(graph)
    assert modes(graph) == ["DCR"] and "in DCR order" in graph.notes[-1]
    torch.testing.assert_close(on_cpu(graph, optimized=False)(pixels), before, rtol=0, atol=1e-6)


@pytest.mark.aimet
@pytest.mark.parametrize("optimized", [False, True])
@pytest.mark.parametrize(("scale", "residual"), NETS)
def test_a_quantized_net_is_bit_equal(
    scale: float, residual: str, optimized: bool, tiny_net: Any, simulated: Any, qdq_graph: Any, pixels: torch.Tensor
) -> None:
    before = qdq_graph(simulated(tiny_net(scale=scale, residual=residual)))
    after = reorder(before, merge=False)
    assert modes(after) == ["DCR"] and len(after.of_type("SpaceToDepth")) == (scale == 1.5)
    a, b = (to_uint8(on_cpu(graph, optimized=optimized)(pixels)).int() for graph in (before, after))
    if scale == 1.5:  # the sums behind a space-to-depth are taken in another order
        assert (a - b).abs().max() <= 1 and (a != b).float().mean() <= 1e-3
    else:
        assert torch.equal(a, b)


@pytest.mark.aimet
def test_weights_biases_and_their_encodings_are_permuted_as_rows(tiny_net: Any, simulated: Any, qdq_graph: Any) -> None:
    before = qdq_graph(simulated(tiny_net(scale=2)))
    after = Graph(before.model)
    depth_to_space_to_dcr(after)
    permutation = order_of(3, 2).numpy()
    for name in ("weight_q", "weight_scale", "weight_zero_point", "bias_q", "bias_scale", "bias_zero_point"):
        old, new = (numpy_helper.to_array(graph.initializers[f"conv_last.{name}"]) for graph in (before, after))
        assert len(np.atleast_1d(old)) == 12
        np.testing.assert_array_equal(new, old[permutation])


@pytest.mark.aimet
def test_per_tensor_weights(tiny_net: Any, simulated: Any, qdq_graph: Any, pixels: torch.Tensor) -> None:
    before = qdq_graph(simulated(tiny_net(scale=3, residual="input_to_output"), per_channel=False))
    after = reorder(before, merge=False)
    assert modes(after) == ["DCR"]
    assert torch.equal(on_cpu(after, optimized=False)(pixels), on_cpu(before, optimized=False)(pixels))


@pytest.mark.aimet
def test_four_bit_weights_and_sixteen_bit_activations(
    tiny_net: Any, simulated: Any, qdq_graph: Any, pixels: torch.Tensor
) -> None:
    for bits in ({"weight_bits": 4}, {"activation_bits": 16}):
        before = qdq_graph(simulated(tiny_net(scale=2), **bits))
        after = reorder(before, merge=False)
        assert modes(after) == ["DCR"]
        assert torch.equal(on_cpu(after, optimized=False)(pixels), on_cpu(before, optimized=False)(pixels))


class RawImageAdded(nn.Module):
    """x2 of one colour plane for each sub-pixel: the raw image, with 12 channels, is added in front of the shuffle."""

    scale, color, size_multiple = 2, "rgb", 1

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 12, 3, padding=1)
        self.add = Add()
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Add the image, its three planes one after the other, four times."""
        return self.shuffle(self.add(self.conv(lr), torch.cat([lr] * 4, dim=1)))


class TwoShuffles(nn.Module):
    """x4 by two depth-to-space in a row, as SESR does it, in colour."""

    scale, color, size_multiple = 4, "rgb", 1

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 48, 3, padding=1), nn.PixelShuffle(2), nn.PixelShuffle(2))

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Shuffle twice."""
        return self.body(lr)


def test_what_cannot_be_permuted_stays_in_crd_and_says_why(float_graph: Any, pixels: torch.Tensor) -> None:
    graph = float_graph(RawImageAdded())
    before = on_cpu(graph, optimized=False)(pixels)
    depth_to_space_to_dcr(graph)
    assert modes(graph) == ["CRD"]
    assert "stays in CRD order: " in graph.notes[-1] and "cut inside one of its inputs" in graph.notes[-1]
    assert torch.equal(on_cpu(graph, optimized=False)(pixels), before)


def test_two_in_a_row(float_graph: Any, pixels: torch.Tensor) -> None:
    torch.manual_seed(0)
    graph = float_graph(TwoShuffles())
    before = on_cpu(graph, optimized=False)(pixels)
    depth_to_space_to_dcr(graph)
    assert modes(graph) == ["DCR", "DCR"]
    torch.testing.assert_close(on_cpu(graph, optimized=False)(pixels), before, rtol=0, atol=1e-6)
