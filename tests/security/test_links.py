"""A sent run folder has links to files of the user, and a command takes it up: nothing is written through them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = [".hydra/config.yaml", ".hydra/hydra.yaml", ".hydra/overrides.yaml", "run.log", "failed.json", "config.yaml"]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_nothing_is_written_through_a_link(tmp_path: Path, repo_root: Path):
    folder, precious = tmp_path / "sent", tmp_path / "precious"
    (folder / ".hydra").mkdir(parents=True)
    precious.mkdir()
    for name in NAMES:
        (precious / Path(name).name).write_text("years")
        (folder / name).symlink_to(precious / Path(name).name)
    (folder / "checkpoints").symlink_to(precious)
    command = [sys.executable, "-m", "sr.run", f"hydra.run.dir={folder}", "logger=none", "train.iterations=0"]
    result = subprocess.run(command, cwd=repo_root, capture_output=True, text=True)
    assert result.returncode == 1
    assert "is a symbolic link that leads out of the run folder" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert {path.name: path.read_text() for path in precious.iterdir()} == {Path(name).name: "years" for name in NAMES}
