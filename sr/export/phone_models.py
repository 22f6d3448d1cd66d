"""Compiled files of the phone kit: of the target's size and of the certificate's crops, for every chip."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from sr.export.graph.onnx_graph import Graph
from sr.export.graph.polyphase_tail import POLYPHASE
from sr.export.graph.shape import fix_shape, fixed_lr_size
from sr.export.hexagon.chips import CHIPS, LAST_ROUNDING_DOWN, Chip
from sr.export.hexagon.compiled import cached_context
from sr.export.hexagon.width_bug import safe_width
from sr.export.kit_model import KIT, KitModel
from sr.export.tail import Tails
from sr.runs.files import temporary_folder
from sr.runs.parts import Parts

RUNTIME = "qnn"


def phone_models(
    contexts: Sequence[Mapping[str, Any]],
    tails: Tails,
    crop: tuple[int, int],
    work: Path,
    log: Path,
    *,
    forms: Collection[str],
    parts: Parts,
) -> tuple[list[KitModel], list[str]]:
    """Return the compiled files for a phone, after compiling those for the crops.

    Args:
        contexts: Contexts of the target's size, as in the certificate; their files are in `work/hexagon`.
        tails: File and tail of each chip.
        crop: Height and width of the certificate's LR crops.
        work: Folder of the export.
        log: File for the compiler's output.
        forms: Names of the emulated forms.
        parts: Contexts that were compiled before.

    Returns:
        The models, and a line for each chip or size that is left out.
    """
    models: list[KitModel] = []
    left_out: list[str] = []
    for context in contexts:
        chip = CHIPS[context["chip"]]
        form = _form(chip, context["tail"], forms)
        if form is None:
            left_out.append(f"{chip.name}: export.emulate has no HTP version with the pixels of v{chip.arch}")
            continue
        facts = {key: context[key] for key in ("soc_model", "htp_arch", "product")} | {"name": chip.name}
        file = tails.file(chip)
        size = fixed_lr_size(Graph.load(file))
        models.append(KitModel(RUNTIME, form, size, _files(work / "hexagon", context["files"]), facts))
        if crop == size:
            continue
        graph = Graph.load(file)
        fix_shape(graph, *crop)
        if safe_width(graph, crop[1]) != crop[1]:
            left_out.append(f"{chip.name}: crops, because the compiler spoils the left edge at {crop[1]} columns")
            continue
        folder = work / KIT / "models"
        with temporary_folder(work) as place:
            small = graph.save(place / file.name.replace("{}x{}".format(*size), "{}x{}".format(*crop)))
            made = cached_context(small, chip, folder, log, parts=parts)
        models.append(KitModel(RUNTIME, form, crop, _files(folder, made["files"]), facts))
    return models, left_out


def _files(folder: Path, names: Sequence[str]) -> list[Path]:
    """Return the compiled file first, then the ONNX file that points to it."""
    return [folder / name for name in sorted(names, key=lambda name: name.endswith(".onnx"))]


def _form(chip: Chip, tail: str, forms: Collection[str]) -> str | None:
    """Return the emulated form that has the pixels of a chip.

    >>> from sr.export.hexagon.chips import CHIPS
    >>> _form(CHIPS["SM8650"], "polyphase", ["htp_v69", "htp_v73", "htp_v73_polyphase"])
    'htp_v73_polyphase'
    """
    for form in forms:
        arch = int(form.split("_")[1].removeprefix("v"))
        same_tail = form.endswith(POLYPHASE) == (tail == POLYPHASE)
        if same_tail and (arch <= LAST_ROUNDING_DOWN) == (chip.arch <= LAST_ROUNDING_DOWN):
            return form
    return None
