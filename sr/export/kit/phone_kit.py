"""Write the phone kit of an export: models, input frames, the outputs to compare with, a script and a manifest."""

import lzma
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from sr.data.pairs import ImagePair
from sr.export.certificate.proof import Closeness, ComparedImages, Form
from sr.export.engine import from_pixels, to_pixels
from sr.export.graph.field_bound import field_bound
from sr.export.graph.onnx_graph import Graph
from sr.export.graph.shape import fixed_lr_size
from sr.export.kit.phone_texts import README, run_script
from sr.export.kit.tiled_frame import run_tiled, tile_size, tiled
from sr.export.kit_model import KitModel
from sr.export.release import Release
from sr.functional.picture import save_png
from sr.runs.files import write_json
from sr.runs.results import link_file

KIT_MANIFEST = "manifest.json"
KIT_FRAME = "frame"
KIT_FORMAT = 1
_MOST_CROPS = 6
_MOST_XZ_BYTES = 64 * 2**20  # of memory to unpack a file that somebody else may have made
_XZ_PRESET = 3  # preset 1 has too small a window for the repeated tiles


class PhoneKit:
    """Kit in the making; without models nothing is written.

    Args:
        folder: The kit's folder.
        models: Models for crops and for the frame.
    """

    def __init__(self, folder: Path, models: Sequence[KitModel]) -> None:
        self._place, self._models = folder, list(models)
        self.forms = list(dict.fromkeys(model.form for model in models))
        """Names of the forms whose outputs are in the kit."""

    @property
    def folder(self) -> Path | None:
        """Return the kit's folder; None if there is no kit."""
        return self._place if self._models else None

    def proven(self, prove: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
        """Return a proof and write the crops of its comparison.

        Args:
            prove: `proof.prove`.
            arguments: Its arguments but the last one.

        Returns:
            The proof; "files" are those of the kit, relative to its folder.
        """
        if not self._models:
            return prove(*arguments)
        written: list[str] = []
        found = prove(*arguments, lambda recorded: written.extend(self._write_crops(recorded)))
        return found | {"files": written}

    def complete(
        self,
        forms: Sequence[Form],
        closeness: Sequence[Closeness],
        pairs: Sequence[ImagePair],
        release: Release,
        facts: Mapping[str, Any],
    ) -> None:
        """Write everything else.

        Args:
            forms: Forms of the certificate.
            closeness: Its PSNR comparisons, whose bounds hold for the phone, too.
            pairs: Its crops.
            release: The exported graphs.
            facts: Facts of the compiler; "compiler" and "left_out" are taken.
        """
        if not self._models:
            return
        net = release.pixels.metadata
        scale, height, width = float(net["scale"]), *pairs[0].lr.shape[:2]
        crops = [np.fromfile(path, np.uint8) for path in sorted(self._place.glob("inputs/crop*.raw"))]
        channels = crops[0].size // (height * width)
        lr_frame = fixed_lr_size(Graph.load(release.fixed))
        self._write_frame(crops[0].reshape(height, width, channels), lr_frame, release, forms)
        for number, pair in enumerate(pairs[: len(crops)]):
            save_png(pair.lr, self._place / f"pairs/crop{number}_lr.png")
            save_png(pair.hr, self._place / f"pairs/crop{number}_hr.png")
        sizes = {f"crop{n}": (height, width, channels) for n in range(len(crops))} | {KIT_FRAME: (*lr_frame, channels)}
        manifest = {
            "format": KIT_FORMAT,
            **net,
            "scale": scale,
            "size_multiple": int(net["size_multiple"]),
            "frames": [{"name": name, "lr": list(lr), "sr": _enlarged(lr, scale)} for name, lr in sizes.items()],
            "models": [self._entry(model) for model in self._models],
            "bounds_db": {pair.first: pair.max_db for pair in closeness if pair.first in self.forms},
            **{key: facts[key] for key in ("compiler", "left_out") if facts.get(key)},
        }
        write_json(self._place / KIT_MANIFEST, manifest)
        (self._place / "run.sh").write_bytes(run_script(sizes).encode())  # Android's shell needs line feeds alone
        (self._place / "README.md").write_text(README, encoding="utf-8")

    def _write_crops(self, recorded: ComparedImages) -> list[str]:
        """Write the certificate's crops as the net gets them, and what the forms of the kit made of them."""
        images = {f"inputs/crop{n}.raw": image for n, image in enumerate(recorded.inputs[:_MOST_CROPS])}
        for form in self.forms:
            outputs = recorded.outputs[form][:_MOST_CROPS]
            images |= {f"expected/{form}/crop{n}.raw.xz": image for n, image in enumerate(outputs)}
        for name, image in images.items():
            _write_raw(self._place / name, image.transpose(1, 2, 0))
        return list(images)

    def _write_frame(self, crop: np.ndarray, size: tuple[int, int], release: Release, forms: Sequence[Form]) -> None:
        """Write a frame that repeats the middle of a crop, and what the forms of the kit make of it."""
        net = release.pixels.metadata
        scale, multiple = float(net["scale"]), int(net["size_multiple"])
        tile = tile_size(field_bound(release.pixels), multiple=multiple, scale=scale)
        covers = tile is not None and tile[0] <= crop.shape[0] and tile[1] <= crop.shape[1]
        height, width = tile if tile and covers else crop.shape[:2]
        top, left = (crop.shape[0] - height) // 2, (crop.shape[1] - width) // 2
        part = crop[top : top + height, left : left + width]
        _write_raw(self._place / f"inputs/{KIT_FRAME}.raw", tiled(part, *size))
        for form in forms:
            if form.name in self.forms:
                output = run_tiled(_on_pixels(form), part, *size, scale, covers=covers)
                _write_raw(self._place / f"expected/{form.name}/{KIT_FRAME}.raw.xz", output)

    def _entry(self, model: KitModel) -> dict[str, Any]:
        names = []
        for file in model.files:
            names.append(f"models/{file.name}")
            if file.parent != self._place / "models":
                link_file(file, self._place / names[-1])
        chip = {"chip": dict(model.chip)} if model.chip else {}
        return {"runtime": model.runtime, "form": model.form, "lr": list(model.lr_size), "files": names, **chip}


def read_expected(folder: Path, form: str, frame: str, size: int) -> bytes:
    """Return the bytes that a form made of a frame of the kit.

    Args:
        folder: The kit's folder.
        form: Name of the form.
        frame: Name of the frame.
        size: Number of bytes.

    Raises:
        ValueError: The file is damaged, or has another number of bytes.
    """
    path = folder / f"expected/{form}/{frame}.raw.xz"
    try:
        content = lzma.LZMADecompressor(memlimit=_MOST_XZ_BYTES).decompress(path.read_bytes(), max_length=size + 1)
    except lzma.LZMAError as error:
        raise ValueError(f"{path} cannot be unpacked ({error}); export again") from error
    if len(content) != size:
        raise ValueError(f"{path} has not the {size} bytes of its frame; export again")
    return content


def _on_pixels(form: Form) -> Callable[[np.ndarray], np.ndarray]:
    return lambda image: to_pixels(form.run(from_pixels(image[None])))[0]


def _enlarged(lr: tuple[int, int, int], scale: float) -> list[int]:
    return [int(lr[0] * Fraction(scale)), int(lr[1] * Fraction(scale)), lr[2]]


def _write_raw(path: Path, pixels: np.ndarray) -> None:
    """Write bytes row by row, compressed if the name ends in .xz."""
    content = np.ascontiguousarray(pixels).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lzma.compress(content, preset=_XZ_PRESET) if path.suffix == ".xz" else content)
