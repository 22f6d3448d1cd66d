"""Forms of a net on its way to the chip, and how closely which of them must agree."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from sr.export.certificate.proof import Bounded, Bounds, Closeness, Form, Link
from sr.export.graph.onnx_graph import Graph
from sr.export.graph.polyphase_tail import POLYPHASE
from sr.export.kit_model import KitModel
from sr.export.release import Release, Simulated
from sr.export.runtime import Runtime, on_cpu, torch_runtime


class Emulator(NamedTuple):
    """Emulator of an HTP version that runs the net, and the name of the file that it runs."""

    run: Runtime
    file: str
    title: str


class HexagonResult(NamedTuple):
    """Result of compiling a release for the HTP.

    Args:
        emulators: Emulators by the names of their forms.
        report: HexagonResult files and estimates for the certificate, or why there are none.
        polyphase: File of fixed size with its tail in polyphase form, if a chip gets it.
        notes: Lines for the certificate's rewrites.
        models: Compiled files for the phone kit.
    """

    emulators: Mapping[str, Emulator]
    report: dict[str, Any]
    polyphase: Path | None = None
    notes: Sequence[str] = ()
    models: Sequence[KitModel] = ()


def all_forms(release: Release, simulation: Simulated, float_net: nn.Module, compiled: HexagonResult) -> list[Form]:
    """Return every form, in the order in which one is made from the other.

    Args:
        release: The exported graphs.
        simulation: Simulation that they were exported from.
        float_net: The trained net.
        compiled: What was compiled for the HTP.
    """
    chain = [Form("float", "float net, PyTorch", torch_runtime(float_net), None)]
    if not simulation.scheme.is_unchanged:
        title = "simulation, AIMET" if release.quantized else "simulation, fp16"
        chain.append(Form("simulation", title, torch_runtime(simulation.net), None))
    graphs = {"crd": release.crd, "dcr": release.dcr, "pixels": release.pixels}
    kind = "QDQ" if release.quantized else "ONNX"
    titles = {"crd": f"{kind} CRD", "dcr": f"{kind} DCR", "pixels": f"{kind} uint8 NHWC"}
    for name, graph in graphs.items():
        chain.append(Form(name, titles[name], on_cpu(graph, optimized=False), f"{name}.onnx"))
        chain.append(Form(f"{name}_fast", f"{titles[name]} fast", on_cpu(graph, optimized=True), f"{name}.onnx"))
    if (file := compiled.polyphase) is not None:
        run = on_cpu(Graph.load(file), optimized=True)
        chain.append(Form(POLYPHASE, f"{kind} polyphase fast", run, file.name))
    precision = "emulator" if release.quantized else "fp16"
    for name, emulator in compiled.emulators.items():
        chain.append(Form(name, f"{emulator.title} {precision}", emulator.run, emulator.file))
    return chain


def comparisons(
    release: Release,
    simulation: Simulated,
    bounds: Bounds,
    compiled: HexagonResult,
    engines: Sequence[Bounded],
) -> tuple[list[Link], list[Closeness]]:
    """Return the comparisons: neighbours byte by byte; emulators and engines, which round differently, by PSNR.

    Args:
        release: The exported graphs.
        simulation: Simulation that they were exported from.
        bounds: Bounds that must hold.
        compiled: What was compiled for the HTP.
        engines: Forms of further engines, with their bounds.

    Returns:
        Byte-wise comparisons and PSNR comparisons.
    """
    first = "float" if simulation.scheme.is_unchanged else "simulation"
    allowed = bounds.emulator_db if release.quantized else bounds.fp16_db
    emulated = [Closeness(name, first, allowed) for name in compiled.emulators]
    exact = [Closeness("crd", first, bounds.simulation_db)] if release.quantized else []
    links = [
        *_links(release, first, bounds, compiled),
        *(Link("float" if each.of_float else "pixels_fast", each.form.name, None, None) for each in engines),
    ]
    return links, [*exact, *emulated, *(_bound(each, first) for each in engines)]


def _bound(engine: Bounded, first: str) -> Closeness:
    return Closeness(engine.form.name, "float" if engine.of_float else first, engine.max_db)


def _links(release: Release, first: str, bounds: Bounds, compiled: HexagonResult) -> list[Link]:
    start = [] if first == "float" else [Link("float", first, None, None)]
    if release.quantized:
        rounding = bounds.rounding_lsb
        start.append(Link(first, "crd", bounds.simulation_lsb, None, beside="crd_fast", rounding_lsb=rounding))
        order = (bounds.order_lsb, bounds.order_share)
        reordered = (bounds.space_to_depth_lsb, bounds.space_to_depth_share)
        rewritten = reordered if release.reordered_sums else order
    else:  # many fp16 values are near a tie, and the runtime chooses the rounding
        start.append(Link(first, "crd", bounds.float_lsb, bounds.float_share if first == "float" else None))
        order = rewritten = (bounds.float_lsb, bounds.float_share)
    middle = [
        Link("crd", "crd_fast", None, None),
        Link("crd", "dcr", *rewritten),
        Link("crd_fast", "dcr_fast", *rewritten),
        Link("dcr", "pixels", *order),
        Link("dcr_fast", "pixels_fast", *order),
    ]
    tail = [Link("pixels_fast", POLYPHASE, *order)] if compiled.polyphase else []
    return [*start, *middle, *tail, *_emulator_links(list(compiled.emulators))]


def _emulator_links(names: list[str]) -> list[Link]:
    """Return what is only reported: emulators against ONNX Runtime and, of one tail, against the first emulator."""
    plain = [name for name in names if not name.endswith(POLYPHASE)]
    other = [name for name in names if name.endswith(POLYPHASE)]
    found = [
        *(Link("pixels_fast", name, None, None) for name in plain),
        *(Link(plain[0], name, None, None) for name in plain[1:]),
    ]
    return [*found, *(Link(POLYPHASE, name, None, None) for name in other)]
