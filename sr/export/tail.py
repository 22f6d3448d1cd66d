"""Tail of the net for each chip: as trained or in polyphase form, whichever the compiler estimates to be faster."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr.export.graph.onnx_graph import Graph
from sr.export.graph.polyphase_tail import POLYPHASE, NoPolyphaseTailError, polyphase_tail
from sr.export.graph.shape import fix_shape, fixed_lr_size
from sr.export.hexagon.chips import LAST_ROUNDING_DOWN, Chip, estimated
from sr.export.hexagon.width_bug import refuse_spoiled
from sr.export.release import lifted

AUTO, PLAIN = "auto", "plain"
TAILS = (AUTO, PLAIN, POLYPHASE)
Estimator = Callable[[Path, Chip], dict[str, Any]]
"""Function (file, chip) -> estimate, see `htp.estimate`."""


@dataclass(frozen=True, kw_only=True)
class Tails:
    """Files of fixed size, and the tail that each HTP version gets.

    Args:
        plain: File with the tail as trained.
        polyphase: File with the tail in polyphase form; None if no chip gets it.
        by_arch: HTP version -> its tail and, where they were compared, both estimates.
        notes: Lines for the certificate's rewrites.
    """

    plain: Path
    polyphase: Path | None
    by_arch: Mapping[int, dict[str, Any]]
    notes: Sequence[str] = ()

    def file(self, chip: Chip) -> Path:
        """Return the file to compile for a chip, with raised biases if its HTP rounds down and the file exists."""
        path = self.polyphase if self.by_arch[chip.arch]["tail"] == POLYPHASE else self.plain
        assert path is not None
        return lifted(path, chip.arch)

    def need(self, emulator: int) -> bool:
        """Return whether a chip that gives the same pixels as an emulated HTP version gets the polyphase file."""
        rounds_down = emulator <= LAST_ROUNDING_DOWN
        return any(
            row["tail"] == POLYPHASE and (arch <= LAST_ROUNDING_DOWN) == rounds_down
            for arch, row in self.by_arch.items()
        )


def choose_tails(plain: Path, choice: str, chips: Sequence[Chip], estimate: Estimator) -> Tails:
    """Choose the tail for each chip, and write the file in polyphase form if a chip gets it.

    Args:
        plain: File of fixed size.
        choice: "plain" or "polyphase" for all chips; "auto" takes the one with the lower estimate.
        chips: Chips to compile for.
        estimate: The compiler's estimate for a chip.

    Returns:
        The files and the choices.

    Raises:
        NoPolyphaseTailError: `choice` is "polyphase" and the net has no such form at this size.
    """
    archs = dict.fromkeys(chip.arch for chip in chips)
    if choice == PLAIN:
        return Tails(plain=plain, polyphase=None, by_arch={arch: {"tail": PLAIN} for arch in archs})
    try:
        polyphase, note = write_polyphase(plain)
    except NoPolyphaseTailError as reason:
        if choice == POLYPHASE:
            raise NoPolyphaseTailError(f"export.tail=polyphase: {reason}; take export.tail=auto or plain") from reason
        notes = [f"tail stays plain: {reason}"]
        return Tails(plain=plain, polyphase=None, by_arch={arch: {"tail": PLAIN} for arch in archs}, notes=notes)
    times = {chip: _compare(plain, polyphase, chip, estimate) for chip in dict.fromkeys(map(estimated, archs))}
    by_arch = {arch: _choose(choice, estimated(arch), times[estimated(arch)]) for arch in archs}
    notes = [f"{note}: {_where(by_arch)}"]
    if all(row["tail"] == PLAIN for row in by_arch.values()):
        polyphase.unlink()
        return Tails(plain=plain, polyphase=None, by_arch=by_arch, notes=notes)
    return Tails(plain=plain, polyphase=polyphase, by_arch=by_arch, notes=notes)


def write_polyphase(plain: Path) -> tuple[Path, str]:
    """Write a file of fixed size with its tail in polyphase form.

    Args:
        plain: File with the tail as trained, pixels_HxW.onnx.

    Returns:
        The file, beside `plain`, and a note on the rewrite.

    Raises:
        NoPolyphaseTailError: The net or its size has no such form, or the compiler's width bug affects it.
    """
    graph = Graph.load(plain)
    size, output = fixed_lr_size(graph), graph.model.graph.output[0].SerializeToString()
    polyphase_tail(graph)
    note = graph.notes[-1]
    fix_shape(graph, *size)
    if graph.model.graph.output[0].SerializeToString() != output:
        raise NoPolyphaseTailError(
            "a polyphase tail needs even sides in front of depth-to-space, which {}x{} LR pixels do not give".format(
                *size
            )
        )
    try:
        refuse_spoiled(graph, size[1])
    except ValueError as reason:
        raise NoPolyphaseTailError(str(reason)) from reason
    return graph.save(plain.with_name(plain.name.replace("pixels", f"pixels_{POLYPHASE}", 1))), note


def _compare(plain: Path, polyphase: Path, chip: Chip, estimate: Estimator) -> dict[str, int | None]:
    """Return both estimates in us; None if the compiler gives none."""
    return {tail: estimate(path, chip).get("estimate_us") for tail, path in ((PLAIN, plain), (POLYPHASE, polyphase))}


def _choose(choice: str, chip: Chip, times: Mapping[str, int | None]) -> dict[str, Any]:
    before, after = times[PLAIN], times[POLYPHASE]
    tail = choice
    if choice == AUTO:
        tail = POLYPHASE if before is not None and after is not None and after < before else PLAIN
    return {"tail": tail, "tail_estimates_us": {"chip": chip.name, **times}}


def _where(by_arch: Mapping[int, dict[str, Any]]) -> str:
    """Return for which HTP versions which tail is used, with the estimates.

    >>> row = {"tail": "polyphase", "tail_estimates_us": {"chip": "SA8775P", "plain": 865, "polyphase": 788}}
    >>> _where({73: row, 75: row})
    'polyphase on HTP v73 v75 (SA8775P: plain 865 us, polyphase 788 us)'
    """
    archs: dict[tuple[Any, ...], str] = {}
    for arch, row in sorted(by_arch.items()):
        key = (row["tail"], *row["tail_estimates_us"].values())
        archs[key] = f"{archs.get(key, '')} v{arch}"
    text = "{} on HTP{} ({}: plain {} us, polyphase {} us)"
    return ", ".join(text.format(tail, names, *facts) for (tail, *facts), names in archs.items())
