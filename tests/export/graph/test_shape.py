"""Targets as LR sizes, and graphs of free and fixed size."""

from typing import Any

import pytest
import torch

from sr.export.graph.onnx_graph import Graph
from sr.export.graph.shape import TARGETS, fix_shape, free_shape, has_free_shape, is_bound_to_size, lr_size
from sr.export.graph.space_to_depth import unshuffle_to_space_to_depth
from sr.export.runtime import on_cpu


@pytest.mark.parametrize(
    ("size", "scale", "multiple", "lr"),
    [
        ("1080p", 2, 1, (540, 960)),
        ("1080p", 3, 1, (360, 640)),
        ("1080p", 4, 1, (270, 480)),
        ("1080p", 1.5, 2, (720, 1280)),
        ("2160p", 4, 1, (540, 960)),
        ("1440p", 2, 1, (720, 1280)),
        ("540p", 4, 1, (135, 240)),
        ("360p", 3, 1, (120, 214)),
        ("720p", 1.5, 2, (480, 854)),
        ("540p", 4, 2, (136, 240)),
        ("540x960", 4, 1, (540, 960)),
    ],
)
def test_lr_size(size: str, scale: float, multiple: int, lr: tuple[int, int]) -> None:
    assert lr_size(size, scale=scale, multiple=multiple) == lr


@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
@pytest.mark.parametrize("name", TARGETS)
def test_the_output_covers_the_target_and_no_more_than_it_must(name: str, scale: float) -> None:
    multiple = 2 if scale == 1.5 else 1
    for side, target in zip(lr_size(name, scale=scale, multiple=multiple), TARGETS[name], strict=True):
        assert side % multiple == 0 and side * scale >= target > (side - multiple) * scale


@pytest.mark.parametrize("size", ["4K", "540", "540x", "0x960", "540x960x3"])
def test_an_unknown_size(size: str) -> None:
    with pytest.raises(ValueError, match="is no size: take a target of 360p"):
        lr_size(size, scale=2, multiple=1)


def test_a_size_that_the_net_cannot_take() -> None:
    with pytest.raises(ValueError, match="multiples of 2"):
        lr_size("541x960", scale=1.5, multiple=2)


def output_size(graph: Graph) -> list[int]:
    """Dimensions of the output."""
    return [dim.dim_value for dim in graph.model.graph.output[0].type.tensor_type.shape.dim]


def test_a_free_graph_takes_every_size(tiny_net: Any, float_graph: Any) -> None:
    graph = float_graph(tiny_net(scale=3))
    assert not is_bound_to_size(graph) and not has_free_shape(graph)
    free_shape(graph)
    assert has_free_shape(graph)
    run = on_cpu(graph, optimized=True)
    assert run(torch.rand(1, 3, 10, 13)).shape == (1, 3, 30, 39)
    assert run(torch.rand(1, 3, 7, 5)).shape == (1, 3, 21, 15)


def test_fixing_a_size_fixes_all(tiny_net: Any, float_graph: Any) -> None:
    graph = float_graph(tiny_net(scale=2))
    fix_shape(graph, 11, 14)
    assert output_size(graph) == [1, 3, 22, 28]


def test_a_reshape_through_six_dimensions_is_bound_to_its_size(tiny_net: Any, float_graph: Any) -> None:
    graph = float_graph(tiny_net(scale=1.5))
    assert is_bound_to_size(graph)
    unshuffle_to_space_to_depth(graph)
    assert not is_bound_to_size(graph)
    fix_shape(graph, 10, 12)
    assert output_size(graph) == [1, 3, 15, 18]
    lr = torch.rand(1, 3, 10, 12)
    with torch.no_grad():
        torch.testing.assert_close(on_cpu(graph, optimized=False)(lr), tiny_net(scale=1.5)(lr), rtol=0, atol=1e-5)
