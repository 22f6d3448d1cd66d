"""The command: what it prints, and when its exit status is 1."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sr.doctor.command import check_image_sets, check_traps, exit_status
from sr.doctor.finding import Finding


def _states(findings: list[Finding]) -> dict[str, str]:
    return {finding.what: finding.state for finding in findings}


def test_a_missing_folder_is_a_note(tmp_path: Path) -> None:
    (finding,) = check_image_sets(tmp_path / "none", [], skip_slow=True)
    assert finding.state == "note"
    assert "set it with --root or SR_DATA" in finding.detail


def test_a_set_without_its_images_is_broken_and_the_others_are_still_checked(tmp_path: Path) -> None:
    (tmp_path / "Set5").mkdir()
    (tmp_path / "Set5" / "notes.txt").write_text("to be copied")
    states = _states(list(check_image_sets(tmp_path, [], skip_slow=True)))
    assert states["set5"] == states["bicubic on set5"] == "broken"
    assert states["Set14"] == "note"


def test_a_folder_without_images_is_a_note(tmp_path: Path) -> None:
    states = _states(list(check_image_sets(tmp_path, [], skip_slow=False)))
    assert states["overlap"] == "note" and set(states.values()) == {"note"}


def test_a_damaged_image_hides_no_trap(tmp_path: Path) -> None:
    (tmp_path / "Set5").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (5, 24, 24, 3), np.uint8)
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / "Set5" / f"{i}.png")
    (tmp_path / "mine").mkdir()
    shutil.copy(tmp_path / "Set5" / "0.png", tmp_path / "mine" / "3096.png")
    (tmp_path / "mine" / "bad.png").write_bytes(b"no picture")
    found = {finding.what: finding for finding in check_traps(tmp_path, skip_slow=False)}
    assert found["BSDS val = BSD100"].state == found["copies of test images"].state == "warning"
    assert found["pictures of test sets"].state == "broken" and "bad.png" in found["pictures of test sets"].detail


def test_the_shared_sets_are_sound(shared_data: Path) -> None:
    rows: list = []
    states = _states(list(check_image_sets(shared_data, rows, skip_slow=True)))
    assert set(states.values()) <= {"ok", "note"}
    assert states["bicubic on set5"] == states["bicubic on set14"] == "ok"
    assert "bicubic on bsd100" not in states and "pictures of test sets" not in states
    assert len(rows) == 2 * 3 * 2  # sets, scales, protocols


@pytest.mark.slow
@pytest.mark.aimet
@pytest.mark.qnn
def test_the_command_from_end_to_end(shared_data: Path, repo_root: Path) -> None:
    command = [sys.executable, "-m", "sr.doctor", "--root", str(shared_data)]
    result = subprocess.run(command, cwd=repo_root, capture_output=True, text=True, timeout=500)
    assert result.returncode == 0, result.stdout + result.stderr
    for words in ("AIMET", "HTP compiler", "logger=wandb", "bsd100", "published", "pictures of test sets"):
        assert words in result.stdout


def test_the_exit_status_says_that_something_is_broken() -> None:
    sound = [
        Finding("torch", "ok", "2.14"),
        Finding("set5", "note", "not found"),
        Finding("copies", "warning", "1: ..."),
    ]
    assert exit_status(sound) == 0
    assert exit_status([*sound, Finding("AIMET", "broken", "cannot be imported")]) == 1


def test_help_is_quick_and_light() -> None:
    code = (
        "import sys\nfrom sr.doctor.command import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "assert not {'torch', 'lightning', 'onnx', 'aimet_torch'} & set(sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "--skip-slow" in result.stdout
