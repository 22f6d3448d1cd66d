"""What Hydra's part of the command line does with an error; the whole command is in `test_run.py`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sr.job import keep_traceback


def failure(path: Path) -> None:
    try:
        raise RuntimeError("two\nlines")
    except RuntimeError as error:
        keep_traceback(error, path)


def test_the_traceback_is_kept(tmp_path: Path) -> None:
    failure(tmp_path / "failed.json")
    kept = json.loads((tmp_path / "failed.json").read_text())
    assert kept["error"] == "RuntimeError: two lines" and "in failure" in kept["traceback"]


def test_where_it_cannot_be_kept_the_error_is_still_the_first_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    failure(tmp_path / "file/failed.json")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(("value", "full"), [("1", True), ("0", False)])
def test_hydra_shows_its_traceback_where_it_is_asked_for(tmp_path: Path, value: str, full: bool) -> None:
    command = [sys.executable, "-m", "sr.run", "model.mm=5"]
    environment = os.environ | {"HYDRA_FULL_ERROR": value}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60)
    assert done.returncode == 1 and ("Traceback" in done.stderr) == full
    assert done.stderr.splitlines()[-1].startswith("Error: Could not override 'model.mm': Key 'mm' is not in struct. ")
