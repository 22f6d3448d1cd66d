"""The ncnn files hold the float net, give its pixels at any size, and keep the order of its channels."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sr.evaluation import evaluate
from sr.export.graph.onnx_graph import Graph
from sr.export.ncnn import Ncnn, NcnnNet, convert, refuse_operators
from sr.export.release import write_float
from sr.export.runtime import on_cpu, upscaler_of
from sr.export.target import Onnx
from sr.metrics import PROTOCOLS
from sr.models.blocks import inference_form

pytest.importorskip("ncnn", reason="needs the extra ncnn")
pytest.importorskip("pnnx", reason="needs the extra ncnn")
SIZE = (24, 24)
SETTINGS: dict[str, Any] = {"num_threads": 1, "num_repeats": 1, "max_db": 0.05}


def written(net: nn.Module, folder: Path, *, half: bool) -> tuple[NcnnNet, Graph]:
    write_float(inference_form(net).eval(), folder / "float.onnx", SIZE)
    graph = Graph.load(folder / "float.onnx")
    param = convert(graph, folder / "net.param", folder / "log", half=half)
    return NcnnNet(param, 1, folder / "log"), graph


def largest(run: NcnnNet, graph: Graph, pixels: torch.Tensor) -> int:
    return int(((run(pixels) - on_cpu(graph, optimized=True)(pixels)).abs().max() * 255).round())


@pytest.mark.parametrize(
    ("name", "scale"), [("sesr_m3", 2), ("sesr_rgb_m3", 2), ("abpn", 3), ("quicksrnet_small", 1.5), ("xlsr", 3)]
)
def test_fp32_gives_the_pixels_of_the_float_net_at_any_size(
    name: str, scale: float, make: Any, pixels: torch.Tensor, tmp_path: Path
) -> None:
    net = make(name, scale=scale)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.02 * torch.randn_like(parameter, generator=torch.Generator().manual_seed(0))
    run, graph = written(net, tmp_path, half=False)
    image = pixels[:, :1] if net.color == "y" else pixels
    for rows in (24, 16):
        assert largest(run, graph, image[:, :, :rows]) <= 1
    names = [line.split()[0] for line in (tmp_path / "net.param").read_text().splitlines()[2:]]
    assert names.count("PixelShuffle") == 1 and "Permute" not in names


def test_fp16_halves_the_file_and_stays_close(tiny_net: Any, crops: Any, tmp_path: Path) -> None:
    net, sizes, psnr = tiny_net(f=32), {}, {}
    for half in (False, True):
        folder = tmp_path / str(half)
        folder.mkdir()
        run, graph = written(net, folder, half=half)
        sizes[half] = (folder / "net.bin").stat().st_size
        psnr[half] = evaluate(upscaler_of(graph, run), crops(2), PROTOCOLS["y"], net.scale).psnr_db
    assert sizes[True] < 0.6 * sizes[False]
    assert abs(psnr[True] - psnr[False]) < SETTINGS["max_db"]


@pytest.mark.aimet
def test_a_quantized_release_has_the_float_net_for_ncnn(
    tiny_net: Any, simulated: Any, crops: Any, bounds: Any, tmp_path: Path
) -> None:
    net = tiny_net()
    target = Onnx(
        size="20x28",
        space_to_depth="operator",
        num_crops=2,
        crop_lr_side=24,
        bounds=bounds(),
        engines={"ncnn": Ncnn(precision="fp16", **SETTINGS)},
    )
    simulation = simulated(net)
    target.rehearse(simulation, net)
    certificate = target.export(simulation=simulation, float_net=net, crops=crops(2), folder=tmp_path / "export")
    (close,) = [row for row in certificate["closeness"] if row["first"] == "ncnn"]
    assert close["second"] == "float" and close["max_db"] == 0.05 and close["holds"]
    (link,) = [row for row in certificate["links"] if row["second"] == "ncnn"]
    assert link["first"] == "float" and link["largest_lsb"] <= 1
    facts = certificate["engines"]["ncnn"]
    assert facts["numbers"] == "fp16 weights of the float net" and facts["latency"]["median_ms"] > 0
    assert {"ncnn/net.param", "ncnn/net.bin", "phone/models/net.param"} <= certificate["files"].keys()
    assert {"ncnn", "pnnx"} <= certificate["inputs"]["versions"].keys()
    upscale = target.runtimes(tmp_path / "export")["ncnn"].open()
    assert upscale(crops(2)[0].lr).shape == crops(2)[0].hr.shape


@pytest.mark.parametrize("precision", ["int8", "fp8"])
def test_other_precisions_are_refused(precision: str) -> None:
    with pytest.raises(ValueError, match=rf"is fp16 or fp32, got '{precision}': .*ncnn2table, ncnn2int8.*Take fp16"):
        Ncnn(precision=precision, **SETTINGS)


def test_what_ncnn_lacks_is_named(tiny_net: Any, float_graph: Any) -> None:
    graph = float_graph(tiny_net())
    graph.of_type("Conv")[1].op_type = "GridSample"
    with pytest.raises(ValueError, match=r"ncnn cannot take GridSample of this net: .*Leave the engine ncnn out"):
        refuse_operators(graph)
    graph.of_type("GridSample")[0].op_type = "Conv"
    for _ in range(500):
        graph.model.graph.node.add().CopyFrom(graph.of_type("Conv")[0])
    with pytest.raises(ValueError, match=r"cannot take this net of 5\d\d operators: pnnx needs gigabytes"):
        refuse_operators(Graph(graph.model))


def test_a_damaged_file_is_told(tiny_net: Any, tmp_path: Path) -> None:
    written(tiny_net(), tmp_path, half=True)
    (tmp_path / "net.param").write_text("7767517\n1 1\nUnknownLayer x 0 1 in0\n")
    with pytest.raises(ValueError, match=r"ncnn does not take net\.param; .*log has its message"):
        NcnnNet(tmp_path / "net.param", 1, tmp_path / "log")
    assert "UnknownLayer" in (tmp_path / "log").read_text()


def test_a_missing_package_is_told(uninstall: Any) -> None:
    uninstall("pnnx")
    missing = Ncnn(precision="fp32", **SETTINGS).why_missing()
    assert missing is not None and "pip install 'sr-mobile[ncnn]'" in missing
