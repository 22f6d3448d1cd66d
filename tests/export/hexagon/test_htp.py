"""The emulated HTP, files for chips, DLC and estimates, from a quantized and from a float net."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from sr.export.graph.onnx_graph import Graph
from sr.export.graph.polyphase_tail import polyphase_tail
from sr.export.graph.shape import fix_shape
from sr.export.graph.uint8_pixels import uint8_nhwc_io
from sr.export.hexagon import qnn_session
from sr.export.hexagon.chips import CHIPS
from sr.export.hexagon.htp import compile_context, estimate, on_htp, write_dlc
from sr.export.release import reorder
from sr.export.runtime import on_cpu
from sr.functional.color import to_uint8

pytestmark = [pytest.mark.aimet, pytest.mark.qnn]


@pytest.fixture(params=[(2, "none"), (1.5, "none"), (1.5, "input_to_output")])
def quantized(request: Any, tiny_net: Any, simulated: Any, qdq_graph: Any) -> Graph:
    """A quantized net in DCR order that takes pixels."""
    scale, residual = request.param
    graph = reorder(qdq_graph(simulated(tiny_net(scale=scale, residual=residual))), merge=False)
    uint8_nhwc_io(graph)
    return graph


@pytest.fixture
def model(tiny_net: Any, simulated: Any, qdq_graph: Any, tmp_path: Path) -> Path:
    """A file of fixed size."""
    graph = reorder(qdq_graph(simulated(tiny_net())), merge=False)
    uint8_nhwc_io(graph)
    return graph.save(tmp_path / "net_24x24.onnx")


@pytest.mark.parametrize("arch", [69, 73])
def test_emulator_is_near_onnx_runtime_and_says_the_same_twice(
    quantized: Graph, arch: int, pixels: torch.Tensor, tmp_path: Path
) -> None:
    emulator = on_htp(quantized, arch=arch, log=tmp_path / "qnn.log")
    made = emulator(pixels)
    difference = to_uint8(made).int() - to_uint8(on_cpu(quantized, optimized=True)(pixels)).int()
    assert difference.abs().max() <= 6 and difference.float().abs().mean() < 1
    assert torch.equal(emulator(pixels), made)
    assert list(qnn_session.nodes_by_provider(emulator.session(24, 24))) == [qnn_session.PROVIDER]


@pytest.mark.parametrize("arch", [69, 73])
@pytest.mark.parametrize("width", [28, 29, 30, 31, 32])
def test_the_left_edge_of_x4_is_right_at_every_width(
    width: int, arch: int, tiny_net: Any, simulated: Any, qdq_graph: Any, tmp_path: Path
) -> None:
    graph = reorder(qdq_graph(simulated(tiny_net(scale=4))), merge=False)
    uint8_nhwc_io(graph)
    lr = torch.rand(1, 3, 24, width, generator=torch.Generator().manual_seed(0))
    ours, theirs = on_htp(graph, arch=arch, log=tmp_path / "qnn.log")(lr), on_cpu(graph, optimized=True)(lr)
    assert ours.shape == theirs.shape == (1, 3, 96, 4 * width)
    inside = slice(None, 4 * (width - 3))  # what widens an image reaches back by the net's three convolutions
    assert (to_uint8(ours).int() - to_uint8(theirs).int())[..., inside].abs().max() <= 6


@pytest.mark.parametrize("width", [56, 58, 60, 62])
def test_the_left_edge_of_a_polyphase_tail_is_right_at_every_width(
    width: int, tiny_net: Any, simulated: Any, qdq_graph: Any, tmp_path: Path
) -> None:
    plain = reorder(qdq_graph(simulated(tiny_net())), merge=False)
    uint8_nhwc_io(plain)
    polyphase = Graph(plain.model)
    polyphase_tail(polyphase)
    lr = torch.rand(1, 3, 24, width, generator=torch.Generator().manual_seed(0))
    ours = on_htp(polyphase, arch=73, log=tmp_path / "qnn.log")(lr)
    theirs = on_cpu(plain, optimized=True)(lr)
    assert ours.shape == theirs.shape == (1, 3, 48, 2 * width)
    inside = slice(None, 2 * (width - 3))
    assert (to_uint8(ours).int() - to_uint8(theirs).int())[..., inside].abs().max() <= 6


def test_a_width_that_the_compiler_spoils_is_refused(
    tiny_net: Any, simulated: Any, qdq_graph: Any, tmp_path: Path
) -> None:
    graph = reorder(qdq_graph(simulated(tiny_net(scale=4))), merge=False)
    uint8_nhwc_io(graph)
    fix_shape(graph, 24, 30)
    model = graph.save(tmp_path / "net_24x30.onnx")
    log = tmp_path / "qnn.log"
    with pytest.raises(
        ValueError,
        match=r"left edge of 8-bit depth-to-space.4. at an LR width of 30: set size=<height>x32 .* the result to 120",
    ):
        compile_context(model, CHIPS["SM8550"], tmp_path / "out", log)
    assert not (tmp_path / "out").exists()
    session = qnn_session.open_session(str(model), qnn_session.backend(CHIPS["SM8550"]), {}, log)
    image = torch.randint(0, 256, (1, 24, 30, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    raw = session.run(None, {session.get_inputs()[0].name: image.numpy()})[0]
    right = on_cpu(graph, optimized=True)(image.permute(0, 3, 1, 2) / 255).permute(0, 2, 3, 1) * 255
    wrong = (torch.from_numpy(raw).float() - right).abs().amax((0, 1, 3)) > 12
    assert wrong[:8].any() and not wrong[8:].any(), (
        "this version of the compiler does it right: sr.export.hexagon.width_bug may go"
    )


def test_a_float_net_runs_in_fp16(tiny_net: Any, float_graph: Any, pixels: torch.Tensor, tmp_path: Path) -> None:
    graph = reorder(float_graph(tiny_net()), merge=False)
    uint8_nhwc_io(graph)
    ours, theirs = on_htp(graph, arch=73, log=tmp_path / "qnn.log")(pixels), on_cpu(graph, optimized=True)(pixels)
    assert (to_uint8(ours).int() - to_uint8(theirs).int()).abs().max() <= 1


@pytest.mark.parametrize("name", ["SM8450", "SM8550", "SM8650", "SM8750", "SM8850"])
def test_compiled_for_a_chip(name: str, model: Path, tmp_path: Path, capfd: Any) -> None:
    chip = CHIPS[name]
    made = compile_context(model, chip, tmp_path / "out", tmp_path / "qnn.log")
    assert made["files"] == [f"{name}_net_24x24.onnx", f"{name}_net_24x24_qnn.bin"]
    assert f":{chip.arch}:{chip.soc_model}:" in made["compiled_with"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == made["files"]
    assert capfd.readouterr() == ("", "")


def test_a_compiled_file_runs_as_the_net_does(model: Path, pixels: torch.Tensor, tmp_path: Path) -> None:
    chip, log = CHIPS["SM8550"], tmp_path / "qnn.log"
    made = compile_context(model, chip, tmp_path / "out", log)
    session = qnn_session.open_session(str(tmp_path / "out" / made["files"][0]), qnn_session.backend(chip), {}, log)
    image = (pixels * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    direct = on_htp(Graph.load(model), arch=73, log=log)(pixels)
    compiled = torch.from_numpy(session.run(None, {"input": image})[0]).permute(0, 3, 1, 2)
    assert torch.equal(compiled, to_uint8(direct))


def test_estimates_have_bounds_and_are_called_so(model: Path, tmp_path: Path) -> None:
    first, second = (estimate(model, CHIPS["SA8775P"], tmp_path / "qnn.log") for _ in range(2))
    assert first == second and first["num_ops_without_cost"] == 0
    assert 0 < first["lower_us"] <= first["estimate_us"] <= first["upper_us"]
    assert "estimate" in first["kind"] and "no phone's figure" in first["kind"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net_24x24.onnx", "qdq.onnx", "qnn.log"]


def test_a_phone_has_no_estimate(model: Path, tmp_path: Path) -> None:
    found = estimate(model, CHIPS["SM8450"], tmp_path / "qnn.log")
    assert "gives no estimate" in found["missing"] and "estimate_us" not in found


def test_dlc(model: Path, tmp_path: Path) -> None:
    write_dlc(model, tmp_path / "out" / "net.dlc", tmp_path / "qnn.log")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["net.dlc"]
    assert {"model", "model.params", "model.params.bin"} <= set(
        zipfile.ZipFile(tmp_path / "out" / "net.dlc").namelist()
    )
