"""The choice of the tail: by the estimate of the nearest chip that has one, and only where the form exists."""

from pathlib import Path
from typing import Any

import pytest

from sr.export.graph.onnx_graph import Graph
from sr.export.graph.shape import fix_shape
from sr.export.graph.uint8_pixels import uint8_nhwc_io
from sr.export.hexagon.chips import Chip, chips
from sr.export.release import reorder
from sr.export.tail import NoPolyphaseTailError, choose_tails

CHIPS = chips(["SM8450", "SM8650", "SM8750", "SA8797P"])  # HTP v69, v75, v79, v81
FASTER = {"SA8540P": (2108, 2622), "SA8775P": (865, 788), "SA8797P": (449, 449)}
"""Estimates in us: with the tail as trained, in polyphase form."""


def estimate(path: Path, chip: Chip) -> dict[str, Any]:
    """Return a figure of `FASTER`."""
    return {"estimate_us": FASTER[chip.name]["polyphase" in path.name]}


@pytest.fixture
def plain(tiny_net: Any, simulated: Any, qdq_graph: Any, float_graph: Any, tmp_path: Path) -> Any:
    """A function that writes a net of fixed size."""

    def make(size: tuple[int, int] = (20, 28), *, quantized: bool = False, **changes: Any) -> Path:
        net = tiny_net(**changes)
        graph = reorder(qdq_graph(simulated(net)) if quantized else float_graph(net), merge=False)
        uint8_nhwc_io(graph)
        fix_shape(graph, *size)
        return graph.save(tmp_path / "pixels_{}x{}.onnx".format(*size))

    return make


def test_auto_takes_the_faster_tail_for_each_chip(plain: Any) -> None:
    tails = choose_tails(plain(), "auto", CHIPS, estimate)
    assert [tails.by_arch[chip.arch]["tail"] for chip in CHIPS] == ["plain", "polyphase", "plain", "plain"]
    assert tails.by_arch[75]["tail_estimates_us"] == {"chip": "SA8775P", "plain": 865, "polyphase": 788}
    assert [tails.file(chip).name for chip in CHIPS[:2]] == ["pixels_20x28.onnx", "pixels_polyphase_20x28.onnx"]
    assert Graph.load(tails.file(CHIPS[1])).of_type("Conv")[-1].name
    assert tails.need(73) and tails.need(81) and not tails.need(69)
    assert "polyphase on HTP v75 (SA8775P: plain 865 us, polyphase 788 us)" in tails.notes[0]


def test_one_tail_for_all(plain: Any) -> None:
    path = plain()
    tails = choose_tails(path, "plain", CHIPS, estimate)
    assert (tails.polyphase, tails.notes, tails.by_arch[81]) == (None, (), {"tail": "plain"})
    tails = choose_tails(path, "polyphase", CHIPS, estimate)
    assert {tails.file(chip).name for chip in CHIPS} == {"pixels_polyphase_20x28.onnx"}
    assert tails.need(69)


def test_a_file_that_no_chip_gets_is_removed(plain: Any) -> None:
    path = plain()
    tails = choose_tails(path, "auto", CHIPS, lambda path, chip: {"missing": "no estimate"})
    assert tails.polyphase is None and tails.by_arch[81]["tail_estimates_us"]["plain"] is None
    assert [each.name for each in path.parent.glob("pixels*")] == ["pixels_20x28.onnx"]


@pytest.mark.aimet
@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"size": (20, 27)}, "needs even sides in front of depth-to-space, which 20x27 LR pixels do not give"),
        ({"size": (20, 30), "scale": 1.5}, "which 20x30 LR pixels do not give"),
        (
            {"size": (20, 60), "quantized": True},
            "spoils the left edge of 8-bit .* an LR width of 60: set size=<height>x64 ",
        ),
    ],
)
def test_where_it_does_not_fit(made: dict[str, Any], reason: str, plain: Any) -> None:
    path = plain(**made)
    with pytest.raises(NoPolyphaseTailError, match=f"export.tail=polyphase: .*({reason}).*; take export.tail=auto or"):
        choose_tails(path, "polyphase", CHIPS, estimate)
    tails = choose_tails(path, "auto", CHIPS, estimate)
    assert not list(path.parent.glob("*polyphase*"))
    assert tails.polyphase is None and tails.notes[0].startswith("tail stays plain: ")
    assert [tails.file(chip) for chip in CHIPS] == [path] * 4
