"""The forms that a net goes through on its way to the chip, and which of them have to agree how closely."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from torch import nn

from sr.export.certificate import Bounds, Closeness, Form, Link
from sr.export.release import Release, Simulated
from sr.export.runtime import Runtime, in_torch, on_cpu


class Emulator(NamedTuple):
    """The net on the emulator of a version of the HTP, and the name of the file that it runs."""

    run: Runtime
    file: str


def forms(release: Release, simulation: Simulated, float_net: nn.Module, htp: Mapping[int, Emulator]) -> list[Form]:
    """Every form, in the order in which one is made from the other.

    Args:
        release: the exported graphs.
        simulation: what they were exported from.
        float_net: the trained net.
        htp: version of the HTP -> the net on its emulator.
    """
    chain = [Form("float", "float net, PyTorch", in_torch(float_net), None)]
    if release.quantized:
        chain.append(Form("simulation", "simulation, AIMET", in_torch(simulation.net), None))
    graphs = {"crd": release.crd, "dcr": release.dcr, "pixels": release.pixels}
    kind = "QDQ" if release.quantized else "ONNX"
    titles = {"crd": f"{kind} CRD", "dcr": f"{kind} DCR", "pixels": f"{kind} uint8 NHWC"}
    for name, graph in graphs.items():
        chain.append(Form(name, titles[name], on_cpu(graph, optimized=False), f"{name}.onnx"))
        chain.append(Form(f"{name}_fast", f"{titles[name]} fast", on_cpu(graph, optimized=True), f"{name}.onnx"))
    precision = "emulator" if release.quantized else "fp16"
    chain += [Form(f"htp_v{arch}", f"HTP v{arch} {precision}", htp[arch].run, htp[arch].file) for arch in htp]
    return chain


def comparisons(release: Release, bounds: Bounds, htp: Collection[int]) -> tuple[list[Link], list[Closeness]]:
    """What is compared: neighbours byte by byte, and the emulators, which round in their own way, by PSNR."""
    first, allowed = ("simulation", bounds.emulator_db) if release.quantized else ("float", bounds.fp16_db)
    return _links(release, bounds, htp), [Closeness(f"htp_v{arch}", first, allowed) for arch in htp]


def _links(release: Release, bounds: Bounds, htp: Collection[int]) -> list[Link]:
    if release.quantized:
        first = "simulation"
        start = [Link("float", first, None, None), Link(first, "crd", bounds.simulation_lsb, None)]
        order = (bounds.order_lsb, bounds.order_share)
        reordered = (bounds.space_to_depth_lsb, bounds.space_to_depth_share)
        rewritten = reordered if release.reordered_sums else order
    else:
        first = "float"
        start = [Link(first, "crd", bounds.float_lsb, bounds.float_share)]
        order = rewritten = (bounds.float_lsb, bounds.float_share)
    middle = [
        Link("crd", "crd_fast", None, None),
        Link("crd", "dcr", *rewritten),
        Link("crd_fast", "dcr_fast", *rewritten),
        Link("dcr", "pixels", *order),
        Link("dcr_fast", "pixels_fast", *order),
    ]
    names = [f"htp_v{arch}" for arch in htp]
    end = [Link("pixels_fast", name, None, None) for name in names]
    return [*start, *middle, *end, *(Link(names[0], name, None, None) for name in names[1:])]
