"""Files of a release: graphs in DCR order with uint8 pixels, of free and of fixed size, from a simulated net."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from sr.export.graph.biases import biases_on_grid, lift_biases
from sr.export.graph.clips import drop_redundant_clips
from sr.export.graph.dcr_order import depth_to_space_to_dcr
from sr.export.graph.encodings import split_quantizers
from sr.export.graph.float_onnx import export_float
from sr.export.graph.onnx_graph import DEQUANTIZE, Graph
from sr.export.graph.shape import fix_shape, free_shape, is_bound_to_size
from sr.export.graph.space_to_depth import fold_into_convolution, match_unshuffle, unshuffle_to_space_to_depth
from sr.export.graph.uint8_pixels import uint8_nhwc_io
from sr.export.hexagon.chips import LAST_ROUNDING_DOWN
from sr.models.net import Net
from sr.runs.files import write_json

SPACE_TO_DEPTH = ("operator", "convolution")


class Simulated(Protocol):
    """Quantized net as the export needs it; the scheme of a float net quantizes nothing."""

    net: Net
    scheme: Any

    def export_qdq(self, path: Path, *, height: int | None, width: int | None) -> None:
        """Write an ONNX file with a quantizer for each one of the simulation; depth-to-space in CRD order."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """Graphs of a release, which are also files in its folder.

    Args:
        crd: Graph as the simulation exports it: float NCHW, depth-to-space in PyTorch's order, size of the crops.
        dcr: Graph with depth-to-space and space-to-depth in DCR order.
        pixels: The same with uint8 NHWC input and output.
        fixed: File of `pixels` at the size of the target.
        proof_size: Height and width of the LR crops of the certificate.
        quantized: Whether it has quantizers.
        reordered_sums: Whether a convolution behind a space-to-depth adds in another order now.
        notes: Lines on what the rewrites did.
    """

    crd: Graph
    dcr: Graph
    pixels: Graph
    fixed: Path
    proof_size: tuple[int, int]
    quantized: bool
    reordered_sums: bool
    notes: list[str]


def build_release(
    simulation: Simulated,
    float_net: Net,
    folder: Path,
    *,
    proof_size: tuple[int, int],
    target_size: tuple[int, int],
    space_to_depth: str,
) -> Release:
    """Write every ONNX file of a release.

    Args:
        simulation: Simulation with its biases on their grid.
        float_net: The trained net.
        folder: Folder for float.onnx, crd.onnx, dcr.onnx, pixels.onnx, pixels_HxW.onnx and, for a quantized net, aimet/
            with a float ONNX file and the encodings beside it.
        proof_size: Height and width of the LR crops of the certificate.
        target_size: Height and width of the target's LR images.
        space_to_depth: "operator", or "convolution" to merge it with the 1x1 convolution behind it.
    """
    write_float(float_net, folder / "float.onnx", proof_size)
    crd = trace(simulation.export_qdq, folder / "crd.onnx", proof_size)
    crd.describe(facts(simulation.net, simulation.scheme.name))
    crd.save(folder / "crd.onnx")
    dcr = reorder(crd, merge=space_to_depth == "convolution")
    pixels = Graph(dcr.model)
    uint8_nhwc_io(pixels)
    fixed = Graph(pixels.model)
    fix_shape(fixed, *target_size)
    for graph, name in ((dcr, "dcr"), (pixels, "pixels")):
        free_shape(graph)
        graph.save(folder / f"{name}.onnx")
    quantized = bool(crd.of_type(DEQUANTIZE))
    if quantized:
        write_encodings(dcr, folder / "aimet")
    return Release(
        crd=crd,
        dcr=dcr,
        pixels=pixels,
        fixed=fixed.save(folder / "pixels_{}x{}.onnx".format(*target_size)),
        proof_size=proof_size,
        quantized=quantized,
        reordered_sums=any(match_unshuffle(crd, node) for node in crd.of_type("Reshape")),
        notes=[*dcr.notes, *pixels.notes],
    )


def trace(export: Callable[..., None], path: Path, size: tuple[int, int]) -> Graph:
    """Export at one size, which gives the simplest graph; with an open size if the graph would contain the size.

    Args:
        export: Function that writes a file for a path, a height and a width, which may both be None.
        path: The file.
        size: Height and width of the LR image.
    """
    export(path, height=size[0], width=size[1])
    graph = Graph.load(path)
    if is_bound_to_size(reorder(graph, merge=False)):  # PixelUnshuffle is bound to a size only before `reorder`
        export(path, height=None, width=None)
    return Graph.load(path)


def reorder(graph: Graph, *, merge: bool) -> Graph:
    """Return a copy of an exported graph in the order and on the grids that the HTP needs.

    Args:
        graph: Graph as the exporter wrote it.
        merge: Whether to merge space-to-depth with the convolution behind it.
    """
    graph = Graph(graph.model)
    biases_on_grid(graph)
    drop_redundant_clips(graph)
    unshuffle_to_space_to_depth(graph)
    if merge:
        fold_into_convolution(graph)
    depth_to_space_to_dcr(graph)
    return graph


def write_float(net: Net, path: Path, size: tuple[int, int]) -> None:
    """Write the float net in DCR order, for images of any size.

    Args:
        net: The trained net.
        path: The ONNX file.
        size: Height and width of the LR image to trace with.
    """
    graph = reorder(trace(partial(export_float, net), path, size), merge=False)
    free_shape(graph)
    graph.describe(facts(net, "fp32"))
    graph.save(path)


def write_lifted(path: Path, lsb: float) -> None:
    """Write a file with uint8 pixels again, with raised biases for HTP versions that round down.

    Args:
        path: File of a quantized net.
        lsb: See `biases.lift_biases`.
    """
    graph = Graph.load(path)
    lift_biases(graph, lsb)
    graph.save(_lifted_name(path))


def lifted(path: Path, arch: int) -> Path:
    """Return the file for an HTP version: the one with raised biases if the version rounds down and the file exists.

    Args:
        path: File without raised biases.
        arch: Version of the HTP.
    """
    other = _lifted_name(path)
    return other if arch <= LAST_ROUNDING_DOWN and other.is_file() else path


def _lifted_name(path: Path) -> Path:
    return path.with_name(path.name.replace("pixels", f"pixels_v{LAST_ROUNDING_DOWN}", 1))


def write_encodings(graph: Graph, folder: Path) -> None:
    """Write a float ONNX file and its encodings, as Qualcomm's converters and AI Hub read them."""
    plain, encodings = split_quantizers(graph)
    folder.mkdir(parents=True, exist_ok=True)
    plain.save(folder / "net.onnx")
    write_json(folder / "net.encodings", json.loads(json.dumps(encodings)))


def facts(net: Net, scheme: str) -> dict[str, object]:
    """Return the metadata of an exported file, from which it can be run later."""
    return {
        "net": type(net).__name__,
        "scheme": scheme,
        "scale": net.scale,
        "color": net.color,
        "size_multiple": net.size_multiple,
    }
