"""Reading a kit: what is missing or was changed is told with what to do."""

import json
import lzma
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sr.export.kit.phone_kit import read_expected
from sr.phone.opened_kit import open_kit

pytestmark = [pytest.mark.aimet, pytest.mark.qnn]


def test_the_folder_of_a_run_and_of_an_export_are_the_same(made_export: Path) -> None:
    assert open_kit(made_export) == open_kit(made_export / "export")


def test_no_export(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no export: give the folder of a run"):
        open_kit(tmp_path)


def test_no_kit(run_folder: Path) -> None:
    (run_folder / "export/phone/manifest.json").unlink()
    with pytest.raises(ValueError, match="has no phone kit; export again with export=hexagon"):
        open_kit(run_folder)


def test_a_changed_file(run_folder: Path) -> None:
    (run_folder / "export/phone/inputs/crop0.raw").write_bytes(b"other")
    with pytest.raises(ValueError, match="are gone or were changed since the certificate"):
        open_kit(run_folder)


def test_a_kit_of_a_later_format(run_folder: Path, certificate: Any) -> None:
    manifest = run_folder / "export/phone/manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 9}))
    found = certificate(run_folder)
    del found["files"]["phone/manifest.json"]
    (run_folder / "export/certificate.json").write_text(json.dumps(found))
    with pytest.raises(ValueError, match="has format 9, this code reads 1"):
        open_kit(run_folder)


def _other_script(kit: Path, manifest: dict[str, Any]) -> None:
    (kit / "run.sh").write_text("touch ran")


def _script_of_sizes(kit: Path, manifest: dict[str, Any]) -> None:
    manifest["frames"][0]["lr"] = ["$(touch ran)", 1, 3]


def _file_outside(kit: Path, manifest: dict[str, Any]) -> None:
    manifest["models"][0]["files"] = ["../../../secret"]


def _frame_outside(kit: Path, manifest: dict[str, Any]) -> None:
    manifest["frames"][0]["name"] = "../crop0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_other_script, "run.sh is not the script of this version; it is not run"),
        (_script_of_sizes, "sizes of a frame are whole numbers"),
        (_file_outside, "is not inside of"),
        (_frame_outside, "frame"),
    ],
)
def test_a_kit_that_somebody_else_made_runs_no_code(
    change: Callable[[Path, dict[str, Any]], None], message: str, run_folder: Path, certificate: Any
) -> None:
    kit = run_folder / "export/phone"
    manifest = json.loads((kit / "manifest.json").read_text())
    change(kit, manifest)
    (kit / "manifest.json").write_text(json.dumps(manifest))
    found = certificate(run_folder)
    found["files"] = {name: facts for name, facts in found["files"].items() if not name.startswith("phone/")}
    (run_folder / "export/certificate.json").write_text(json.dumps(found))
    with pytest.raises(ValueError, match=message):
        open_kit(run_folder)


def test_outputs_of_another_size_are_not_unpacked(tmp_path: Path) -> None:
    place = tmp_path / "expected/form"
    place.mkdir(parents=True)
    (place / "crop0.raw.xz").write_bytes(lzma.compress(bytes(1000)))
    assert read_expected(tmp_path, "form", "crop0", 1000) == bytes(1000)
    with pytest.raises(ValueError, match="has not the 999 bytes of its frame"):
        read_expected(tmp_path, "form", "crop0", 999)
    (place / "crop0.raw.xz").write_bytes(b"other")
    with pytest.raises(ValueError, match="cannot be unpacked"):
        read_expected(tmp_path, "form", "crop0", 1000)


def test_a_chip_and_a_runtime_without_files(made_export: Path) -> None:
    kit = open_kit(made_export)
    assert kit.models("qnn", "SM8450").frame["form"] == "htp_v69"
    assert kit.models("litert", "anything").frame["form"] == "litert"
    with pytest.raises(ValueError, match=r"chip SM8350, and the kit has files for SM8450, SM8550.*export.chips"):
        kit.models("qnn", "SM8350")
    assert kit.models("ncnn", None).frame["files"] == ["models/net.param", "models/net.bin"]
    few = [model for model in kit.manifest["models"] if model["runtime"] != "ncnn"]
    with pytest.raises(ValueError, match=r"no files for ncnn; it has qnn, litert\. .* export=all or export=ncnn"):
        replace(kit, manifest={**kit.manifest, "models": few}).models("ncnn", None)
