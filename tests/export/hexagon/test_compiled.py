"""The key of the cache: the graph without its weights, on which no estimate depends."""

from pathlib import Path
from typing import Any

import pytest
import torch

from sr.export.graph.onnx_graph import Graph
from sr.export.graph.shape import fix_shape
from sr.export.graph.uint8_pixels import uint8_nhwc_io
from sr.export.hexagon.chips import CHIPS
from sr.export.hexagon.compiled import cached_estimate, structure_hash
from sr.export.hexagon.htp import estimate
from sr.export.release import reorder
from sr.runs.parts import Parts

pytestmark = [pytest.mark.aimet, pytest.mark.qnn]


@pytest.fixture
def graph(tiny_net: Any, simulated: Any, qdq_graph: Any) -> Any:
    """A function that quantizes a net with weights of a seed."""

    def make(seed: int, size: tuple[int, int] = (64, 96), **changes: Any) -> Graph:
        net = tiny_net(**changes)
        torch.manual_seed(seed)
        for parameter in net.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        made = reorder(qdq_graph(simulated(net)), merge=False)
        uint8_nhwc_io(made)
        fix_shape(made, *size)
        return made

    return make


def test_weights_change_neither_estimate_nor_hash(graph: Any, tmp_path: Path) -> None:
    first, second = graph(0), graph(1)
    assert first.model != second.model
    assert structure_hash(first) == structure_hash(second)
    log = tmp_path / "qnn.log"
    paths = [each.save(tmp_path / f"{i}.onnx") for i, each in enumerate((first, second))]
    for chip in (CHIPS["SA8540P"], CHIPS["SA8775P"], CHIPS["SA8797P"]):
        expected, other = (estimate(path, chip, log) for path in paths)
        assert expected == other
        assert cached_estimate(paths[0], chip, log, parts=Parts(tmp_path / "cache")) == expected
        assert cached_estimate(paths[1], chip, log, parts=Parts(tmp_path / "cache")) == expected
    assert len(list((tmp_path / "cache").iterdir())) == 3


@pytest.mark.parametrize(
    "changes",
    [{"m": 2}, {"f": 16}, {"scale": 3}, {"size": (64, 98)}, {"residual": "input_to_output"}, {"residual": "nearest"}],
)
def test_another_structure_has_another_hash(changes: dict[str, Any], graph: Any) -> None:
    assert structure_hash(graph(0, **changes)) != structure_hash(graph(0))
