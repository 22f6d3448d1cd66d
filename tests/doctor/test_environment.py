"""The environment: versions against the tested ones, and the heavy tools tried for real."""

from importlib import metadata
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from sr.doctor import environment
from sr.doctor.environment import check_versions, pinned_versions, quantized_convolution
from sr.doctor.finding import examine


def test_versions_stand_beside_the_tested_ones() -> None:
    installed = {name: metadata.version(name).split("+")[0] for name in ("torch", "onnx")}
    found = {finding.what: finding for finding in check_versions({"torch": installed["torch"], "onnx": "0.1"})}
    assert found["torch"].state == "ok"
    assert found["onnx"].state == "note"
    assert found["onnx"].detail == f"{installed['onnx']}; the project was tested with 0.1"


def test_a_package_that_is_not_installed_is_broken_unless_optional() -> None:
    broken, note = check_versions({"no-such-package": "1.2"}, ("no-such-package", "none-either"), ("none-either",))
    assert (broken.state, broken.detail) == ("broken", "not installed: pip install no-such-package==1.2")
    assert (note.state, note.detail) == ("note", "not installed: pip install none-either")


def test_pinned_versions_are_those_of_this_platform(tmp_path: Path) -> None:
    path = tmp_path / "constraints.txt"
    path.write_text("# tested\na==1.0\nb==2 ; python_version < '3'\nb==3 ; python_version >= '3'\n\n")
    assert pinned_versions(path) == {"a": "1.0", "b": "3"}
    assert pinned_versions(tmp_path / "none.txt") == {}


def test_the_project_pins_what_the_doctor_asks_about(repo_root: Path) -> None:
    assert set(environment.TESTED_PACKAGES) <= set(pinned_versions(repo_root / "constraints.txt"))


def test_the_tiny_net_is_the_identity() -> None:
    session = onnxruntime.InferenceSession(
        quantized_convolution().SerializeToString(), providers=["CPUExecutionProvider"]
    )
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 16, 16)).astype(np.float32) / 255
    np.testing.assert_allclose(session.run(None, {"x": pixels})[0], pixels, atol=1e-6)


@pytest.mark.aimet
def test_aimet_works() -> None:
    (finding,) = examine("AIMET", environment.check_aimet)
    assert finding.state == "ok", finding


@pytest.mark.qnn
def test_the_htp_compiler_and_its_emulator_work() -> None:
    findings = examine("HTP", environment.check_htp)
    assert [finding.what for finding in findings] == ["HTP emulator v69", "HTP emulator v73", "HTP compiler"]
    assert {finding.state for finding in findings} == {"ok"}, findings


@pytest.mark.parametrize(("choice", "module"), environment.LOGGER_MODULES.items())
def test_every_logger_can_be_imported(repo_root: Path, choice: str, module: str) -> None:
    assert (repo_root / "conf" / "logger" / f"{choice}.yaml").is_file()
    (finding,) = environment.check_logger(choice, module)
    assert finding.state == "ok"
