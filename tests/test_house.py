"""House rules that a machine can check: imports, names, sizes. CONTRIBUTING.md lists all rules with their tests."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

FORBIDDEN_NAMES = {"utils", "util", "misc", "common", "helpers", "helper", "base", "core", "stuff"}
MAX_LINES, MAX_README_LINES, MAX_SUBJECT = 250, 150, 72
OWN_WORDS = {
    *("attic", "capture", "doorstep", "floors", "ghosts", "holdout", "narrowing", "observe", "quiet_logs", "resident"),
    *("rundir", "shipped_nets", "told", "said", "triptych", "upkeep", "worth", "Material"),
}
"""Words of ours that standard terms replaced."""


def modules(root: Path) -> list[Path]:
    found = sorted((root / "sr").rglob("*.py"))
    assert found
    return found


def test_imports_point_down(repo_root):
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=repo_root, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout


def test_no_room_for_leftovers(repo_root):
    assert not [
        path for path in modules(repo_root) if FORBIDDEN_NAMES & set(path.relative_to(repo_root).with_suffix("").parts)
    ]


def test_files_stay_small(repo_root):
    code = [
        path
        for room in ("sr", "tests")
        for kind in ("py", "js", "css")
        for path in (repo_root / room).rglob(f"*.{kind}")
    ]
    assert len(code) > 100
    lengths = {str(path.relative_to(repo_root)): len(path.read_text().splitlines()) for path in code}
    assert {name: count for name, count in lengths.items() if count > MAX_LINES} == {}


def test_the_readme_is_short(repo_root):
    assert len((repo_root / "README.md").read_text(encoding="utf-8").splitlines()) <= MAX_README_LINES


def test_commit_subjects_are_short(repo_root):
    log = subprocess.run(["git", "log", "-n", "50", "--format=%s"], cwd=repo_root, capture_output=True, text=True)
    if log.returncode:
        pytest.skip("not a git checkout")
    assert [subject for subject in log.stdout.splitlines() if len(subject) > MAX_SUBJECT] == []


def test_names_are_terms_of_the_field(repo_root):
    definition = re.compile(r"^\s*(?:def|class) (\w+)|^(\w+) = ", re.MULTILINE)
    for path in modules(repo_root):
        names = {name for pair in definition.findall(path.read_text(encoding="utf-8")) for name in pair}
        assert not OWN_WORDS & {path.stem, *names}, path


def test_no_paths_of_one_machine(repo_root):
    pattern = re.compile(r"(?<![\w.])/(work|home|root)/")
    tracked = subprocess.run(["git", "ls-files"], cwd=repo_root, capture_output=True, text=True).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    texts = [
        repo_root / name
        for name in tracked
        if name.endswith((".py", ".md", ".yaml", ".toml", ".txt")) or "/" not in name
    ]
    assert not [
        path for path in texts if path.is_file() and path != Path(__file__) and pattern.search(path.read_text())
    ]


@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job"]])
def test_quick_answers_import_nothing_heavy(repo_root, arguments):
    code = f"""
import runpy, sys
sys.argv = ["sr.run", *{arguments!r}]
try:
    runpy.run_module("sr.run", run_name="__main__")
except SystemExit:
    pass
heavy = {{"torch", "lightning", "aimet_torch", "onnx", "skimage", "wandb"}} & set(sys.modules)
assert not heavy, heavy
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=repo_root, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
