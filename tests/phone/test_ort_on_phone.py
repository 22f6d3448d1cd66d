"""ONNX Runtime's programs on a stand-in phone: they run the compiled files on the emulator and compare every value."""

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.aimet, pytest.mark.qnn]


@pytest.mark.parametrize("plugin", [False, True])
def test_onnx_runtime_gives_the_pixels_of_the_emulator(
    plugin: bool, run_folder: Path, phone: Any, sdk: Path, perf_test: Path, sr_phone: Any, certificate: Any
) -> None:
    phone(soc_model="SM8550" if plugin else "SM8450")
    if plugin:
        (perf_test.parent / "libonnxruntime_providers_qnn.so").write_bytes(b"library")
    status, said = sr_phone(run_folder, "--runtime", "ort", "--sdk", sdk, "--tool", perf_test, "--passes", 5)
    assert status == 0, said
    assert said.count("largest difference 0 LSB, 0.0e+00 of the pixels differ") == 3
    found = certificate(run_folder)
    (close,) = [row for row in found["closeness"] if row["first"].startswith("phone_ort_SM8")]
    assert close["second"].startswith("htp_v73" if plugin else "htp_v69") and close["holds"]
    (facts,) = found["phones"]
    assert facts["runtime_version"] == "ONNX Runtime, QAIRT 2.51.0" and facts["model"].endswith(".onnx")
    assert facts["off_npu"] == [] and facts["notes"] == []
    assert facts["latency_ms"]["min"] <= facts["latency_ms"]["median"] <= facts["latency_ms"]["p99"]


def test_what_onnx_runtime_says_of_other_pixels_is_recorded(
    run_folder: Path, phone: Any, sdk: Path, perf_test: Path, sr_phone: Any, certificate: Any
) -> None:
    phone(fault="other pixels")
    status, said = sr_phone(run_folder, "--runtime", "ort", "--sdk", sdk, "--tool", perf_test, "--passes", 1)
    assert status == 0 and said.count("largest difference 1 LSB") == 3, said
    found = certificate(run_folder)
    (link,) = [row for row in found["links"] if row["second"].startswith("phone")]
    assert link["largest_lsb"] == 1 and 0.9 < link["differing_share"] <= 1
    assert not [row for row in found["closeness"] if row["first"].startswith("phone")]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("on the CPU", "This means: a part of the net does not run on the NPU; see docs/phone.md"),
        ("other chip", "onnx_test_runner did not compare crop0: [E:onnxruntime:Default] Failed to create context"),
    ],
)
def test_what_onnx_runtime_refuses_is_told(
    fault: str, message: str, run_folder: Path, phone: Any, sdk: Path, perf_test: Path, sr_phone: Any
) -> None:
    phone(fault=fault)
    before = (run_folder / "export/certificate.json").read_bytes()
    status, said = sr_phone(run_folder, "--runtime", "ort", "--sdk", sdk, "--tool", perf_test, "--passes", 1)
    assert status == 1 and message in said and len(said.strip().splitlines()) == 1, said
    assert (run_folder / "export/certificate.json").read_bytes() == before


def test_what_onnx_runtime_needs_is_told(
    run_folder: Path, phone: Any, sdk: Path, perf_test: Path, sr_phone: Any
) -> None:
    phone()
    status, said = sr_phone(run_folder, "--runtime", "ort", "--sdk", sdk)
    assert status == 1 and "--runtime ort needs onnxruntime_perf_test for Android (arm64), got none: it is in" in said
    status, said = sr_phone(run_folder, "--runtime", "ort", "--tool", perf_test)
    assert status == 1 and "needs Qualcomm's QAIRT SDK" in said
    (perf_test.parent / "onnx_test_runner").unlink()
    status, said = sr_phone(run_folder, "--runtime", "ort", "--sdk", sdk, "--tool", perf_test)
    assert status == 1 and "onnx_test_runner is missing: copy it there from onnxruntime's build" in said
