"""The state of a checkout, and of the libraries."""

import subprocess
from pathlib import Path

import torch

import sr
from sr.report.provenance import git_state, versions


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=tester", "-c", "user.email=tester@localhost"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_git_state_tells_commit_and_changes(tmp_path: Path) -> None:
    git(tmp_path, "init")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    clean = git_state(tmp_path)
    assert clean["dirty"] is False
    assert len(str(clean["commit"])) == 40
    (tmp_path / "file").write_text("two")
    assert git_state(tmp_path) == clean | {"dirty": True}


def test_a_folder_without_a_checkout_has_no_state(tmp_path: Path) -> None:
    assert git_state(tmp_path) == {"commit": None, "dirty": None}


def test_a_repository_further_up_is_not_the_code_s(tmp_path: Path) -> None:
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "-m", "first")
    package = tmp_path / ".venv/lib/site-packages/sr"
    package.mkdir(parents=True)
    assert git_state(package) == {"commit": None, "dirty": None}


def test_versions_are_those_that_run() -> None:
    assert versions()["sr-mobile"] == sr.__version__
    assert versions()["torch"] == torch.__version__.split("+")[0] or versions()["torch"] == torch.__version__
