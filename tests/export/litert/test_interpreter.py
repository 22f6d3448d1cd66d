"""The .tflite file has the integers and the grids of the proven graph, and gives its pixels."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from sr.export.certificate.forms import on_cpu
from sr.export.graph.onnx_graph import Graph
from sr.export.litert.interpreter import Interpreter
from sr.export.litert.lowering import lower
from sr.export.release import build_release

pytest.importorskip("ai_edge_litert", reason="needs the extra litert")
pytestmark = pytest.mark.aimet
SIZE = (24, 24)


@pytest.fixture
def pixels_graph(simulated: Any, tmp_path: Path) -> Any:
    """The graph with whole pixels of a net and a scheme."""

    def make(net: nn.Module, **scheme: Any) -> Graph:
        release = build_release(
            simulated(net, **scheme), net, tmp_path, proof_size=SIZE, target_size=SIZE, space_to_depth="operator"
        )
        return release.pixels

    return make


def written(graph: Graph, folder: Path) -> tuple[Interpreter, list[str]]:
    model, entry, result, notes = lower(graph, SIZE, "test")
    model.save(folder / "net.tflite", entry, result)
    return Interpreter(folder / "net.tflite", 1, folder / "log"), notes


def operators(run: Interpreter) -> list[str]:
    return [each["op_name"] for each in run._interpreter._get_ops_details() if each["op_name"] != "DELEGATE"]


def largest(run: Any, graph: Graph, pixels: torch.Tensor) -> tuple[int, float]:
    """Largest difference from ONNX Runtime in LSB, and the mean difference."""
    difference = (run(pixels) - on_cpu(graph, optimized=True)(pixels)) * 255
    return int(difference.abs().max().round()), float(difference.mean())


@pytest.mark.parametrize("changes", [{}, {"residual": "input_to_output"}, {"activation": "relu"}, {"scale": 3}])
def test_integers(changes: dict[str, Any], tiny_net: Any, pixels_graph: Any, pixels: Any, tmp_path: Path) -> None:
    graph = pixels_graph(tiny_net(**changes))
    run, _ = written(graph, tmp_path)
    lsb, mean = largest(run, graph, pixels)
    assert lsb <= 2 and abs(mean) < 0.05
    names = operators(run)
    assert names.count("DEPTH_TO_SPACE") == 1 and "TRANSPOSE" not in names
    assert names[0] == names[-1] == "QUANTIZE", "only the sign of the pixels changes at the ends"
    entry, result = run._interpreter.get_input_details()[0], run._interpreter.get_output_details()[0]
    assert entry["dtype"] == result["dtype"] == np.uint8
    assert entry["quantization"] == result["quantization"] == (pytest.approx(1 / 255), 0)
    kinds = {np.dtype(each["dtype"]).name for each in run._interpreter.get_tensor_details()}
    assert kinds == {"uint8", "int8", "int32"}, "nothing is left in float"


def test_grids_are_those_of_the_simulation(tiny_net: Any, pixels_graph: Any, tmp_path: Path) -> None:
    graph = pixels_graph(tiny_net(activation="relu"))
    wanted = {round(graph.encoding(node).scale, 8) for node in graph.of_type("QuantizeLinear")}
    run, _ = written(graph, tmp_path)
    scales = {round(each["quantization"][0], 8) for each in run._interpreter.get_tensor_details()}
    assert wanted <= scales


def test_any_size(tiny_net: Any, pixels_graph: Any, pixels: Any, tmp_path: Path) -> None:
    graph = pixels_graph(tiny_net())
    run, _ = written(graph, tmp_path)
    for side in (24, 17, 24):
        assert largest(run, graph, pixels[:, :, :side])[0] <= 2


@pytest.mark.parametrize("scheme", ["fp32", "fp16"])
def test_floats(scheme: str, tiny_net: Any, pixels_graph: Any, pixels: Any, tmp_path: Path) -> None:
    bits = int(scheme[2:])
    graph = pixels_graph(tiny_net(), name=scheme, numbers="float", weight_bits=bits, activation_bits=bits)
    run, _ = written(graph, tmp_path)
    assert largest(run, graph, pixels)[0] <= 1
    kinds = {np.dtype(each["dtype"]).name for each in run._interpreter.get_tensor_details()}
    assert ("float16" in kinds) == (scheme == "fp16")


def test_the_smallest_integer_is_no_weight(tiny_net: Any, pixels_graph: Any, pixels: Any, tmp_path: Path) -> None:
    net = tiny_net()
    with torch.no_grad():
        net.cnn[0].weight[0, 0, 0, 0] = -2.0
    graph = pixels_graph(net)
    run, notes = written(graph, tmp_path)
    assert notes == [] and largest(run, graph, pixels)[0] == 0
    name = next(name for name in graph.initializers if name.startswith("cnn.0.weight_q"))
    stored = onnx.numpy_helper.to_array(graph.initializers[name]).copy()
    assert stored.min() == -127
    stored[stored == -127] = -128
    graph.replace_initializer(name, stored)
    run, notes = written(graph, tmp_path)
    assert f"{(stored == -128).sum()} of 216 weights of /cnn/cnn.0/Conv were -128, now -127" in notes[0]
    assert largest(run, graph, pixels)[0] <= 4


def test_sixteen_bits_are_refused(tiny_net: Any, pixels_graph: Any, tmp_path: Path) -> None:
    graph = pixels_graph(tiny_net(), activation_bits=16)
    with pytest.raises(ValueError, match=r"LiteRT cannot take 16 bits with an offset .* activation_bits=8"):
        lower(graph, SIZE, "test")


def test_what_it_lacks_is_named(tiny_net: Any, pixels_graph: Any) -> None:
    graph = pixels_graph(tiny_net(activation="relu"))
    graph.of_type("Conv")[1].op_type = "ConvTranspose"
    with pytest.raises(ValueError, match=r"LiteRT cannot take ConvTranspose /cnn/cnn.2/Conv: there is no counterpart"):
        lower(graph, SIZE, "test")


def with_prelu(net: nn.Module) -> nn.Module:
    """Replace the activations of a tiny net by PReLUs with slopes of both signs."""
    for name, layer in list(net.named_modules()):
        if isinstance(layer, nn.ReLU):
            slopes = nn.PReLU(8)
            nn.init.uniform_(slopes.weight, -1, 1)
            net.get_submodule(name.rpartition(".")[0]).register_module(name.rpartition(".")[2], slopes)
    return net.eval()


def test_a_portable_float_file_has_no_prelu_and_the_same_bits(
    tiny_net: Any, pixels_graph: Any, pixels: Any, tmp_path: Path
) -> None:
    graph = pixels_graph(
        with_prelu(tiny_net(activation="relu")), name="fp16", numbers="float", weight_bits=16, activation_bits=16
    )
    runs = {}
    for portable in (False, True):
        model, entry, result, _ = lower(graph, SIZE, "test", portable=portable)
        file = tmp_path / f"{portable}.tflite"
        model.save(file, entry, result)
        runs[portable] = Interpreter(file, 1, tmp_path / "log")
    assert "PRELU" in operators(runs[False]) and "PRELU" not in operators(runs[True])
    assert {"NEG", "MUL", "SUB"} <= set(operators(runs[True]))
    assert torch.equal(runs[True](pixels), runs[False](pixels))
