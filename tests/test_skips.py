"""The policy of skipped tests: under CI, a reason that nobody listed fails the session."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("reason", "ci", "status"),
    [("needs a GPU", "true", 0), ("felt like it", "true", 1), ("felt like it", "", 0)],
)
def test_an_unexpected_skip_fails_ci(tmp_path, repo_root, reason, ci, status):
    (tmp_path / "test_it.py").write_text(f"import pytest\n\ndef test_it():\n    pytest.skip({reason!r})\n")
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(repo_root / "tests")}
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "--rootdir=.", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    assert f"skipped 1: {reason}" in done.stdout
    assert ("not expected" in done.stdout) == (reason == "felt like it")
