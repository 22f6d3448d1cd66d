"""The command on a stand-in phone: what is pushed runs on the emulator and on LiteRT, so the comparison is real."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sr.phone.ncnn_on_phone import SOURCE
from sr.report.record import read_report, write_report
from sr.report.table import engines_ms
from sr.runs.results import is_whole, write_result
from tests.phone.conftest import SERIAL
from tests.report import conftest as report_tests

make_report = report_tests.make_report
pytestmark = [pytest.mark.aimet, pytest.mark.qnn]


@pytest.mark.parametrize(("chip", "form"), [("SM8450", "htp_v69"), ("SM8550", "htp_v73")])
def test_a_compiled_file_gives_the_pixels_of_the_emulator(
    chip: str, form: str, run_folder: Path, phone: Any, sdk: Path, sr_phone: Any, certificate: Any
) -> None:
    root = phone(soc_model=chip)
    status, said = sr_phone(run_folder, "--sdk", sdk, "--passes", 5)
    assert status == 0, said
    assert said.count("largest difference 0 LSB, 0.0e+00 of the pixels differ") == 3
    found = certificate(run_folder)
    name = f"phone_qnn_{chip}"
    (row,) = [row for row in found["forms"] if row["name"] == name]
    expected = next(row["psnr_y_db"] for row in found["forms"] if row["name"].startswith(form))
    assert row["title"] == "phone SM-S901B, qnn" and row["psnr_y_db"] == pytest.approx(expected, abs=1e-9)
    (link,) = [row for row in found["links"] if row["second"] == name]
    assert link["first"].startswith(form) and link["largest_lsb"] == 0 and link["holds"]
    (facts,) = found["phones"]
    assert facts["chip"] == chip and facts["android"] == "14" and facts["temperature_c"] == [31.2, 31.2]
    assert facts["runtime_version"] == "QAIRT 2.51.0" and facts["compiler"]["qairt"].startswith("2.")
    assert facts["off_npu"] == [] and facts["notes"] == []
    times = facts["latency_ms"]
    assert times["min"] <= times["median"] <= times["p90"] <= times["p99"] <= times["max"]
    assert not (root / "data/local/tmp/sr_phone").exists()


def test_litert_gives_the_pixels_of_the_certificate(
    run_folder: Path, phone: Any, benchmark_model: Path, sr_phone: Any, certificate: Any
) -> None:
    phone(soc_model="Tensor G4")
    status, said = sr_phone(run_folder, "--runtime", "litert", "--tool", benchmark_model, "--passes", 3)
    assert status == 0, said
    found = certificate(run_folder)
    (close,) = [row for row in found["closeness"] if row["first"].startswith("phone")]
    assert close["second"] == "litert" and close["max_db"] == 0.1 and close["holds"]
    (facts,) = found["phones"]
    assert facts["name"] == "phone_litert_SM-S901B"
    assert max(row["largest_lsb"] for row in facts["frames"]) == 0
    assert facts["off_npu"] == ["everything: XNNPACK runs on the CPU"]
    assert facts["latency_ms"]["p5"] <= facts["latency_ms"]["median"] <= facts["latency_ms"]["p95"]


def test_ncnn_gives_the_pixels_of_the_certificate(
    run_folder: Path, phone: Any, ncnn_runner: Path, sr_phone: Any, certificate: Any
) -> None:
    phone(soc_model="Tensor G4")
    status, said = sr_phone(run_folder, "--runtime", "ncnn", "--tool", ncnn_runner, "--passes", 3)
    assert status == 0 and "off the NPU: everything: ncnn runs on the CPU" in said, said
    found = certificate(run_folder)
    (close,) = [row for row in found["closeness"] if row["first"].startswith("phone")]
    assert close["second"] == "ncnn" and close["max_db"] == 0.05 and close["holds"]
    (facts,) = found["phones"]
    assert facts["name"] == "phone_ncnn_SM-S901B" and facts["model"] == "phone/models/net.param"
    assert facts["runtime_version"] == "ncnn 1.0.20261020, 1 threads, CPU"
    assert max(row["largest_lsb"] for row in facts["frames"]) == 0
    assert facts["latency_ms"]["min"] <= facts["latency_ms"]["median"] <= facts["latency_ms"]["p99"]


def test_what_ncnn_needs_is_told(run_folder: Path, phone: Any, ncnn_runner: Path, sr_phone: Any) -> None:
    phone(fault="no times")
    status, said = sr_phone(run_folder, "--runtime", "ncnn")
    assert status == 1 and "needs ncnn_runner for Android (arm64), got none: build it from" in said
    assert (SOURCE.is_file() and str(SOURCE) in said) and "docs/phone.md" in said
    arguments = ("--runtime", "ncnn", "--tool", ncnn_runner)
    status, said = sr_phone(run_folder, *arguments, "--delegate", "npu")
    assert status == 1 and "with --runtime ncnn --delegate is cpu or gpu, got 'npu'" in said
    status, said = sr_phone(run_folder, *arguments, "--delegate", "gpu")
    assert status == 1 and "there is no Vulkan device for net.param" in said
    status, said = sr_phone(run_folder, *arguments, "--passes", 2)
    assert status == 0 and "no times: ncnn_runner printed no line with pass_us" in said


@pytest.mark.parametrize(
    ("fault", "said_of_npu"),
    [
        ("no delegate", "everything: no delegate took the graph, so it ran on the CPU"),
        ("partly", "everything: XNNPACK runs on the CPU"),
        ("old tool", "the median is the mean: this benchmark_model prints no percentiles"),
    ],
)
def test_what_ran_elsewhere_is_told(
    fault: str, said_of_npu: str, run_folder: Path, phone: Any, benchmark_model: Path, sr_phone: Any
) -> None:
    phone(fault=fault)
    status, said = sr_phone(run_folder, "--runtime", "litert", "--tool", benchmark_model, "--passes", 2)
    assert status == 0 and said_of_npu in said, said


def test_a_delegate_library_is_pushed_and_named(
    run_folder: Path, phone: Any, benchmark_model: Path, sr_phone: Any, certificate: Any, tmp_path: Path
) -> None:
    phone(fault="partly")
    library = tmp_path / "qnn/libQnnTFLiteDelegate.so"
    library.parent.mkdir()
    library.write_bytes(b"library")
    (library.parent / "libQnnHtp.so").write_bytes(b"library")
    arguments = ("--runtime", "litert", "--tool", benchmark_model, "--delegate", library, "--passes", 2)
    status, said = sr_phone(run_folder, *arguments)
    assert status == 0, said
    assert "off the NPU: a part: the EXTERNAL delegate took the graph partially (w/ 3 delegate kernels)" in said
    (facts,) = certificate(run_folder)["phones"]
    assert facts["runtime_version"] == "benchmark_model with delegate libQnnTFLiteDelegate.so"


def test_other_pixels_are_told_and_recorded(
    run_folder: Path, phone: Any, sdk: Path, sr_phone: Any, certificate: Any
) -> None:
    phone(fault="other pixels")
    status, said = sr_phone(run_folder, "--sdk", sdk, "--passes", 2)
    assert status == 0 and "largest difference 1 LSB" in said
    (link,) = [row for row in certificate(run_folder)["links"] if row["second"].startswith("phone")]
    assert link["largest_lsb"] == 1 and 0.9 < link["differing_share"] <= 1


def test_a_fallback_of_qnn_is_told(run_folder: Path, phone: Any, sdk: Path, sr_phone: Any) -> None:
    phone(fault="on the CPU")
    status, said = sr_phone(run_folder, "--sdk", sdk, "--passes", 2)
    assert status == 0 and "off the NPU: everything: the profile has no time of the accelerator" in said


def test_without_a_profile_reader_there_are_no_times(run_folder: Path, phone: Any, sdk: Path, sr_phone: Any) -> None:
    phone()
    (sdk / "bin/x86_64-linux-clang/qnn-profile-viewer").unlink()
    status, said = sr_phone(run_folder, "--sdk", sdk, "--passes", 2)
    assert status == 0 and "no times: the SDK has no qnn-profile-viewer for this computer" in said


def test_the_run_is_whole_and_its_report_has_the_phone(
    run_folder: Path,
    phone: Any,
    sdk: Path,
    sr_phone: Any,
    certificate: Any,
    make_report: Any,
) -> None:
    before = certificate(run_folder)
    files = [f"export/{name}" for name in (*before["files"], "certificate.json")]
    write_result(run_folder, "export/export.json", {"stage": "export", "key": "k", "export": before}, files)
    write_report(make_report(export=before), run_folder)
    phone()
    for _ in range(2):  # a second time replaces the first
        assert sr_phone(run_folder, "--sdk", sdk, "--passes", 2)[0] == 0
    assert is_whole(run_folder, "export/export.json", "k")
    report = read_report(run_folder / "report.json")
    assert report.export == certificate(run_folder) and len(report.export["phones"]) == 1
    where, ms = engines_ms(report)["phone_qnn_SM8450"]
    assert where == "phone" and ms == report.export["phones"][0]["latency_ms"]["median"]


@pytest.mark.parametrize(
    ("devices", "arguments", "message"),
    [
        ("", [], "adb lists no phone; switch on USB debugging"),
        ("A\tdevice\nB\tdevice", [], "adb lists 2 phones (A, B); name one: --device A"),
        ("A\tdevice", ["--device", "B"], "adb lists no phone B; it lists A"),
        ("A\tunauthorized", [], "the phone A is unauthorized: unlock its screen"),
        ("A\toffline", [], "the phone A is offline: unplug it"),
        ("A\tno permissions (udev)", [], "the phone A is no permissions (udev): give your user access"),
    ],
)
def test_phones_that_are_not_ready(
    devices: str, arguments: list[str], message: str, run_folder: Path, phone: Any, sdk: Path, sr_phone: Any
) -> None:
    phone(devices=devices)
    status, said = sr_phone(run_folder, "--sdk", sdk, *arguments)
    assert status == 1 and message in said and len(said.strip().splitlines()) == 1


def test_no_adb(run_folder: Path, sdk: Path, sr_phone: Any, tmp_path: Path) -> None:
    status, said = sr_phone(run_folder, "--sdk", sdk, "--adb", tmp_path / "none")
    assert status == 1 and "is not found; install Android's platform-tools" in said


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("broken push", "the push of frame.raw to the phone broke off: 100 of"),
        ("full phone", "No space left on device"),
        ("other chip", "err 5000. This means: the compiled file is for another chip: see --chip; see docs/phone.md"),
        ("other size", "bytes, not the"),
    ],
)
def test_what_breaks_on_the_way_records_nothing(
    fault: str, message: str, run_folder: Path, phone: Any, sdk: Path, sr_phone: Any
) -> None:
    phone(fault=fault)
    before = (run_folder / "export/certificate.json").read_bytes()
    status, said = sr_phone(run_folder, "--sdk", sdk, "--passes", 2)
    assert status == 1 and message in said and len(said.strip().splitlines()) == 1
    assert (run_folder / "export/certificate.json").read_bytes() == before
    assert not list((run_folder / "export").glob(".sr-partial-*"))


def test_the_serial_number_is_not_recorded(run_folder: Path, phone: Any, sdk: Path, sr_phone: Any) -> None:
    phone()
    assert sr_phone(run_folder, "--sdk", sdk, "--device", SERIAL, "--passes", 2)[0] == 0
    assert SERIAL not in (run_folder / "export/certificate.json").read_text()


def test_a_kit_is_small_and_complete(made_export: Path) -> None:
    kit = made_export / "export/phone"
    manifest = json.loads((kit / "manifest.json").read_text())
    assert len((kit / "README.md").read_text().splitlines()) == 10
    runtimes = [(model["runtime"], model.get("chip", {}).get("name")) for model in manifest["models"]]
    expected = [("qnn", "SM8450"), ("qnn", "SM8550"), ("litert", None), ("ncnn", None)]
    assert sorted(map(str, runtimes)) == sorted(map(str, expected * 2))
    for model in manifest["models"]:
        assert all((kit / name).is_file() for name in model["files"])
    for frame in manifest["frames"]:
        assert np.fromfile(kit / f"inputs/{frame['name']}.raw", np.uint8).size == np.prod(frame["lr"])
    assert sum(path.stat().st_size for path in kit.rglob("*") if path.is_file()) < 2e6
