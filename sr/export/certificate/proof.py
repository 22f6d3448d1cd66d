"""Comparison of all forms of an exported net on the same crops, and the bounds for their differences."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from rich import box
from rich.table import Table
from torch import Tensor

from sr import metrics
from sr.data.pairs import ImagePair
from sr.evaluation import Upscaler, evaluate
from sr.functional.color import to_uint8
from sr.models.net import Net

PROTOCOL = metrics.PROTOCOLS["y"]


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """Allowed differences between neighbouring forms of a net; a release outside of them is refused.

    Differences are of bytes, in LSB. A share counts the pixels with a difference in any channel.

    Args:
        order_lsb: Between CRD and DCR order, and between float planes and uint8 pixels.
        order_share: The same, as a share of the pixels.
        space_to_depth_lsb: Replaces `order_lsb` where sums have another order (space-to-depth).
        space_to_depth_share: Replaces `order_share` there.
        simulation_lsb: Between the simulation and ONNX Runtime, for a net in which rounding adds up to no more.
        rounding_lsb: For any other net, the difference allowed beyond that of ONNX Runtime with and without its
            optimizations on the same file.
        simulation_db: PSNR difference between the simulation and ONNX Runtime.
        emulator_db: PSNR difference between the HTP emulator and the simulation.
        float_lsb: For a float net, between PyTorch and ONNX Runtime, in either order.
        float_share: The same, as a share of the pixels.
        fp16_db: For a float net, PSNR difference between the HTP, which computes in fp16, and PyTorch.
    """

    order_lsb: int
    order_share: float
    space_to_depth_lsb: int
    space_to_depth_share: float
    simulation_lsb: int
    rounding_lsb: int
    simulation_db: float
    emulator_db: float
    float_lsb: int
    float_share: float
    fp16_db: float


class Form(NamedTuple):
    """Form of the net: name, title, the function lr (1, C, h, w) -> sr, and its file if it has one."""

    name: str
    title: str
    run: Callable[[Tensor], Tensor]
    file: str | None


class Link(NamedTuple):
    """Two forms to compare byte by byte, with the allowed difference; None only reports the difference.

    `beside` is a form that computes the same file as `second`. If it is given, the largest difference of those two plus
    `rounding_lsb` is allowed, where that is more: it shows how far rounding alone goes in this net.
    """

    first: str
    second: str
    max_lsb: int | None
    max_share: float | None
    beside: str | None = None
    rounding_lsb: int = 0


class Closeness(NamedTuple):
    """Two forms whose PSNR against the true images may differ by `max_db` dB."""

    first: str
    second: str
    max_db: float


class Bounded(NamedTuple):
    """Form of an engine, and the PSNR bound in dB to the released net or, if it is `of_float`, to the float net."""

    form: Form
    max_db: float
    of_float: bool = False


class ComparedImages(NamedTuple):
    """Images of a comparison, (C, h, w) uint8: those that the forms got, and by name of the form what it made."""

    inputs: list[np.ndarray]
    outputs: dict[str, list[np.ndarray]]


def prove(
    forms: Sequence[Form],
    comparisons: tuple[Sequence[Link], Sequence[Closeness]],
    crops: Sequence[ImagePair],
    net: Net,
    keep: Callable[[ComparedImages], object] = lambda recorded: None,
) -> dict[str, Any]:
    """Run every form on every crop and compare.

    Args:
        forms: Forms from the float net to the last file.
        comparisons: Byte-wise comparisons and PSNR comparisons.
        crops: Image pairs of one size.
        net: Net that gives scale, colour and size multiple.
        keep: Function that is called with all images.

    Returns:
        Plain containers: `forms` with their PSNR-Y, `links` and `closeness` with the differences and whether each
        `holds`.
    """
    psnr: dict[str, float] = {}
    images: dict[str, list[np.ndarray]] = {}
    inputs: list[np.ndarray] = []
    for form in forms:
        psnr[form.name], images[form.name], inputs = _run(form, crops, net)
    keep(ComparedImages(inputs, images))
    rows = [
        {"name": form.name, "title": form.title, "psnr_y_db": _finite(psnr[form.name]), "file": form.file}
        for form in forms
    ]
    return {
        "protocol": PROTOCOL.name,
        "forms": rows,
        "links": [_compare(link, images) for link in comparisons[0]],
        "closeness": [_distance(pair, psnr) for pair in comparisons[1]],
    }


def failures(proof: dict[str, Any]) -> list[str]:
    """Return one line for each comparison that does not hold: the forms, their difference, and the bound."""
    lines = []
    for row in proof["links"]:
        if not row["holds"]:
            where = "" if row["max_share"] is None else f" on {row['max_share']:.1e}"
            found = f"{row['largest_lsb']} LSB on {row['differing_share']:.1e} of the pixels"
            lines.append(
                f"{row['first']} and {row['second']} differ by {found}, allowed are {row['max_lsb']} LSB{where}"
            )
    for row in proof["closeness"]:
        if not row["holds"]:
            found = _decibels(row["difference_db"])
            lines.append(f"PSNR of {row['first']} and {row['second']}: {found} apart, allowed are {row['max_db']}")
    return lines


def proof_table(proof: dict[str, Any]) -> Table:
    """Return a table with a row per form: its PSNR, and its difference from the form that it is compared with."""
    caption = "fast: with ONNX Runtime's optimizations. Largest difference and share of the differing pixels, or PSNR"
    made = Table(title="Export proof", caption=caption, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("form", "PSNR-Y dB", "against", "differs by", "bound"):
        made.add_column(name, justify="right" if name == "PSNR-Y dB" else "left")
    for form in proof["forms"]:
        start = [form["title"], "exact" if form["psnr_y_db"] is None else f"{form['psnr_y_db']:.3f}"]
        links = [_link_cells(row) for row in proof["links"] if row["second"] == form["name"]]
        close = [_closeness_cells(row) for row in proof["closeness"] if row["first"] == form["name"]]
        for cells in [*links, *close] or [["", "", ""]]:
            made.add_row(*start, *cells)
            start = ["", ""]
    return made


def _run(form: Form, crops: Sequence[ImagePair], net: Net) -> tuple[float, list[np.ndarray], list[np.ndarray]]:
    """Return the PSNR-Y of a form, its output bytes, for a Y net before the colours are added, and its input bytes."""
    made: list[np.ndarray] = []
    given: list[np.ndarray] = []

    def run(lr: Tensor) -> Tensor:
        # Pixels are bytes already; luma is rounded to bytes as the input of the exported net.
        given.append(to_uint8(lr)[0].numpy())
        sr = form.run(to_uint8(lr).float() / 255)
        made.append(to_uint8(sr)[0].numpy())
        return sr

    upscale = Upscaler(run, color=net.color, scale=net.scale, size_multiple=net.size_multiple)
    return evaluate(upscale, crops, PROTOCOL, net.scale).psnr_db, made, given


def _compare(link: Link, images: dict[str, list[np.ndarray]]) -> dict[str, Any]:
    differences = _differences(images[link.first], images[link.second])
    largest, num_pixels = int(differences.max()), differences.size
    num_differing = int((differences > 0).sum())
    max_lsb = link.max_lsb
    if max_lsb is not None and link.beside is not None:
        rounding = int(_differences(images[link.beside], images[link.second]).max())
        max_lsb = max(max_lsb, rounding + link.rounding_lsb)
    within_lsb = max_lsb is None or largest <= max_lsb
    # A share of small crops may be less than one pixel: one is allowed where `max_lsb` allows any.
    within_share = link.max_share is None or num_differing <= max(1.0, link.max_share * num_pixels)
    return {
        "first": link.first,
        "second": link.second,
        "max_lsb": max_lsb,
        "max_share": link.max_share,
        "largest_lsb": largest,
        "differing_share": num_differing / num_pixels,
        "holds": within_lsb and within_share,
    }


def _differences(ours: list[np.ndarray], theirs: list[np.ndarray]) -> np.ndarray:
    """Return the largest difference over the channels, for all pixels of all crops."""
    each = [np.abs(a.astype(np.int16) - b).max(axis=0).ravel() for a, b in zip(ours, theirs, strict=True)]
    return np.concatenate(each)


def _distance(pair: Closeness, psnr: dict[str, float]) -> dict[str, Any]:
    ours, theirs = psnr[pair.first], psnr[pair.second]
    difference = 0.0 if ours == theirs else ours - theirs  # both may be infinite
    return {**pair._asdict(), "difference_db": _finite(difference), "holds": abs(difference) <= pair.max_db}


def _finite(decibels: float) -> float | None:
    """Round for JSON, which has no infinity: None for an image without error."""
    return round(decibels, 4) if np.isfinite(decibels) else None


def _decibels(difference: float | None) -> str:
    return "infinitely many dB" if difference is None else f"{abs(difference):.3f} dB"


def _link_cells(row: dict[str, Any]) -> list[str]:
    bound = "" if row["max_lsb"] is None else _verdict(row, _lsb(row["max_lsb"], row["max_share"], "g"))
    return [row["first"], _lsb(row["largest_lsb"], row["differing_share"], ".1e"), bound]


def _closeness_cells(row: dict[str, Any]) -> list[str]:
    return [row["second"], _decibels(row["difference_db"]), _verdict(row, f"{row['max_db']} dB")]


def _lsb(largest: int, share: float | None, form: str) -> str:
    return f"{largest} LSB, {share:{form}}" if largest and share is not None else f"{largest} LSB"


def _verdict(row: dict[str, Any], bound: str) -> str:
    return f"{bound} ok" if row["holds"] else f"[bold red]{bound} refused[/bold red]"
