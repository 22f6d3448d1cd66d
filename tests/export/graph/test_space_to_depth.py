"""PixelUnshuffle becomes SpaceToDepth, or a convolution with a stride, and the pixels stay."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from sr.export.graph.onnx_graph import Graph, attribute
from sr.export.graph.space_to_depth import fold_into_convolution, match_unshuffle, unshuffle_to_space_to_depth
from sr.export.runtime import on_cpu


class Unshuffled(nn.Module):
    """Space-to-depth and what reads it."""

    scale, color, size_multiple = 1, "rgb", 2

    def __init__(self, *readers: nn.Module) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.unshuffle = nn.PixelUnshuffle(2)
        self.readers = nn.ModuleList(readers)

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Add up what the readers make of it."""
        planes = self.unshuffle(self.first(lr))
        return torch.stack([reader(planes) for reader in self.readers]).sum(0)


@pytest.fixture
def graph(float_graph: Callable[[nn.Module], Graph]) -> Callable[..., Graph]:
    """The graph of an unshuffle with readers."""

    def make(*readers: nn.Module) -> Graph:
        return float_graph(Unshuffled(*readers).eval())

    return make


READERS = {
    "1x1 convolution": lambda: [nn.Conv2d(16, 5, 1)],
    "3x3 convolution behind an activation": lambda: [nn.Sequential(nn.ReLU(), nn.Conv2d(16, 5, 3, padding=1))],
    "two convolutions": lambda: [nn.Conv2d(16, 5, 1), nn.Conv2d(16, 5, 3, padding=1)],
}


@pytest.mark.parametrize("case", READERS)
def test_becomes_one_operator(case: str, graph: Callable[..., Graph], pixels: torch.Tensor) -> None:
    made = graph(*READERS[case]())
    before = on_cpu(made, optimized=False)(pixels)
    unshuffle_to_space_to_depth(made)
    assert len(made.of_type("SpaceToDepth")) == 1 and not made.of_type("Reshape")
    assert "is SpaceToDepth (block 2, 4 channels" in made.notes[-1]
    torch.testing.assert_close(on_cpu(made, optimized=False)(pixels), before, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("reader", "name"), [(nn.Softmax(dim=1), "Softmax"), (nn.Conv2d(16, 4, 1, groups=2), "Conv")])
def test_other_readers_keep_the_reshape(
    reader: nn.Module, name: str, graph: Callable[..., Graph], pixels: torch.Tensor
) -> None:
    made = graph(reader)
    before = on_cpu(made, optimized=False)(pixels)
    unshuffle_to_space_to_depth(made)
    assert len(made.of_type("Reshape")) == 2 and "stays a reshape" in made.notes[-1] and name in made.notes[-1]
    assert torch.equal(on_cpu(made, optimized=False)(pixels), before)


def test_merges_with_a_1x1_convolution(graph: Callable[..., Graph], pixels: torch.Tensor) -> None:
    made = graph(nn.Conv2d(16, 5, 1))
    before = on_cpu(made, optimized=False)(pixels)
    unshuffle_to_space_to_depth(made)
    fold_into_convolution(made)
    last = made.of_type("Conv")[-1]
    assert not made.of_type("SpaceToDepth")
    assert attribute(last, "kernel_shape") == attribute(last, "strides") == [2, 2]
    torch.testing.assert_close(on_cpu(made, optimized=False)(pixels), before, rtol=0, atol=1e-5)


def test_does_not_merge_with_a_3x3_convolution(graph: Callable[..., Graph]) -> None:
    made = graph(nn.Conv2d(16, 5, 3, padding=1))
    unshuffle_to_space_to_depth(made)
    fold_into_convolution(made)
    assert len(made.of_type("SpaceToDepth")) == 1


@pytest.mark.aimet
@pytest.mark.parametrize("merge", [False, True])
def test_quantized_net(merge: bool, tiny_net: Any, simulated: Any, qdq_graph: Any, pixels: torch.Tensor) -> None:
    made = qdq_graph(simulated(tiny_net(scale=1.5)))
    before = on_cpu(made, optimized=True)(pixels)
    unshuffle_to_space_to_depth(made)
    if merge:
        fold_into_convolution(made)
    assert len(made.of_type("SpaceToDepth")) == (not merge) and not made.of_type("Reshape")
    assert torch.equal(on_cpu(made, optimized=True)(pixels), before)  # integers do not mind the order of a sum


def test_other_reshapes_are_not_taken_for_it(tiny_net: Any, float_graph: Any) -> None:
    made = float_graph(tiny_net(scale=1.5))
    first, second = made.of_type("Reshape")
    match = match_unshuffle(made, first)
    assert match is not None and match.block == 2
    assert match_unshuffle(made, second) is None
