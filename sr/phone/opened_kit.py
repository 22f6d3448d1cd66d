"""The phone kit of an export, read and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr.export.kit.phone_kit import KIT_FORMAT, KIT_FRAME, KIT_MANIFEST
from sr.export.kit.phone_texts import run_script
from sr.export.kit_model import KIT
from sr.export.publish import CERTIFICATE, whole
from sr.runs.files import read_json
from sr.runs.names import check_name, inside


@dataclass(frozen=True, kw_only=True)
class OpenedKit:
    """Kit and the export that it belongs to.

    Args:
        export: Folder of the export.
        manifest: Content of the kit's manifest.
        certificate: Certificate of the export.
    """

    export: Path
    manifest: Mapping[str, Any]
    certificate: dict[str, Any]

    @property
    def folder(self) -> Path:
        """Return the kit's folder."""
        return self.export / KIT

    @property
    def crops(self) -> list[Mapping[str, Any]]:
        """Return the frames that are crops of the certificate."""
        return [frame for frame in self.manifest["frames"] if frame["name"] != KIT_FRAME]

    @property
    def frame(self) -> Mapping[str, Any]:
        """Return the frame of the target's size."""
        return next(frame for frame in self.manifest["frames"] if frame["name"] == KIT_FRAME)

    def models(self, runtime: str, chip: str | None) -> "ChosenModels":
        """Return the models for a runtime and a chip.

        Args:
            runtime: "qnn", "ort", "litert" or "ncnn".
            chip: Part number, such as "SM8450"; needed by "qnn" and "ort", which run the same files.

        Raises:
            ValueError: The kit has none; the message lists what it has.
        """
        runtime = "qnn" if runtime == "ort" else runtime
        of_runtime = [model for model in self.manifest["models"] if model["runtime"] == runtime]
        if not of_runtime:
            has = ", ".join(dict.fromkeys(model["runtime"] for model in self.manifest["models"]))
            raise ValueError(
                f"the kit of {self.export} has no files for {runtime}; it has {has}. Export again with "
                f"{'export=hexagon' if runtime == 'qnn' else 'export=all or export=' + runtime}"
            )
        chips = dict.fromkeys(model["chip"]["name"] for model in of_runtime if "chip" in model)
        if chips and chip not in chips:
            raise ValueError(
                f"the phone has the chip {chip or 'of unknown name'}, and the kit has files for {', '.join(chips)}: "
                f"give --chip if it is one of them, or export again with 'export.chips=[{chip or '<chip>'}]'"
            )
        fitting = [model for model in of_runtime if not chips or model["chip"]["name"] == chip]
        frame = next(model for model in fitting if model["lr"] == self.frame["lr"][:2])
        crops = [model for model in fitting if self.crops and model["lr"] == self.crops[0]["lr"][:2]]
        return ChosenModels(frame, crops[0] if crops else None)


@dataclass(frozen=True)
class ChosenModels:
    """Model for the frame, and that for the crops if there is one."""

    frame: Mapping[str, Any]
    crops: Mapping[str, Any] | None

    @property
    def each(self) -> Sequence[Mapping[str, Any]]:
        """Return both, or the one."""
        return [self.frame] if self.crops in (None, self.frame) else [self.frame, self.crops]


def open_kit(place: Path) -> OpenedKit:
    """Open the kit of a run or of an export.

    Args:
        place: Folder of a run, or of an export.

    Raises:
        ValueError: There is no kit, or a file of the export was changed.
    """
    export = place if (place / CERTIFICATE).is_file() else place / "export"
    if not (export / CERTIFICATE).is_file():
        raise ValueError(f"{place} has no export: give the folder of a run, or of `sr export --to <folder>`")
    certificate = read_json(export / CERTIFICATE)
    if not (export / KIT / KIT_MANIFEST).is_file():
        raise ValueError(
            f"{export} has no phone kit; export again with export=hexagon, litert, ncnn or all, and with "
            "onnxruntime-qnn, LiteRT or ncnn installed"
        )
    if not whole(export, certificate):
        raise ValueError(f"files of {export} are gone or were changed since the certificate; export again")
    manifest = read_json(export / KIT / KIT_MANIFEST)
    if manifest.get("format") != KIT_FORMAT:
        raise ValueError(f"the kit of {export} has format {manifest.get('format')!r}, this code reads {KIT_FORMAT}")
    _refuse_foreign(export / KIT, manifest)
    return OpenedKit(export=export, manifest=manifest, certificate=certificate)


def _refuse_foreign(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse a kit that reads outside of its folder, or whose script is not this package's: it runs on the phone.

    Raises:
        ValueError: The message names what is foreign.
    """
    sizes: dict[str, tuple[int, int, int]] = {}
    for frame in manifest["frames"]:
        if not all(type(number) is int and number > 0 for number in (*frame["lr"], *frame["sr"])):
            raise ValueError(f"{folder / KIT_MANIFEST}: sizes of a frame are whole numbers, got {frame}")
        height, width, channels = frame["lr"]
        sizes[check_name("frame", frame["name"])] = (height, width, channels)
    for model in manifest["models"]:
        check_name("form", model["form"])
        for name in model["files"]:
            inside(folder, name)
    if (folder / "run.sh").read_text(encoding="utf-8") != run_script(sizes):
        raise ValueError(f"{folder / 'run.sh'} is not the script of this version; it is not run. Export again")
