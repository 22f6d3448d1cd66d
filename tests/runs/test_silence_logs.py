"""What other libraries print: hidden, or sent to a file; own messages and errors stay."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sr.runs.silence_logs import native_output_to, silence_prints


def test_native_output_goes_to_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "logs" / "qnn.log"
    libc = ctypes.CDLL(None)
    with native_output_to(log):
        libc.puts(b"from C, held back in its buffer")
        os.write(2, b"from C, at once\n")
    print("from Python")
    with native_output_to(log):
        os.write(1, b"again\n")
    assert sorted(log.read_text().split("\n")) == ["", "again", "from C, at once", "from C, held back in its buffer"]
    assert capfd.readouterr() == ("from Python\n", "")


def test_the_screen_comes_back_after_an_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), native_output_to(tmp_path / "qnn.log"):
        raise ZeroDivisionError
    os.write(1, b"back\n")
    assert capfd.readouterr().out == "back\n"


@pytest.mark.aimet
def test_importing_aimet_logs_nothing_and_own_messages_stay(repo_root: Path) -> None:
    code = "import logging; logging.basicConfig(level=0); logging.getLogger('x').info('mine'); "
    code += "from sr.runs.silence_logs import silence_logs\nwith silence_logs(): import aimet_torch\n"
    code += "logging.info('mine too')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=repo_root, check=True)
    own = [line for line in done.stderr.splitlines() if "AIMET" in line or "mine" in line]
    assert own == ["INFO:x:mine", "INFO:root:mine too"]


def test_prints_are_discarded_and_errors_come_through(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="of the library"), silence_prints():
        print("progress")
        print("progress", file=sys.stderr)
        raise ValueError("of the library")
    assert capfd.readouterr() == ("", "")
