"""Reading a kit: what is missing or was changed is told with what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

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


def test_a_chip_and_a_runtime_without_files(made_export: Path) -> None:
    kit = open_kit(made_export)
    assert kit.models("qnn", "SM8450").frame["form"] == "htp_v69"
    assert kit.models("litert", "anything").frame["form"] == "litert"
    with pytest.raises(ValueError, match=r"chip SM8350, and the kit has files for SM8450, SM8550.*export.chips"):
        kit.models("qnn", "SM8350")
    with pytest.raises(ValueError, match="no files for ncnn; it has qnn, litert"):
        kit.models("ncnn", None)
