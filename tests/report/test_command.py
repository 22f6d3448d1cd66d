"""The command line, as a user types it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sr.report.command import main

MakeRun = Callable[..., Path]


def test_runs_are_shown_and_a_broken_one_is_named(
    tmp_path: Path, make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(run="good")
    (tmp_path / "main" / "torn").mkdir()
    (tmp_path / "main" / "torn" / "report.json").write_text("{")
    assert main([str(tmp_path / "main")]) == 0
    shown = capsys.readouterr().out
    assert "set5 x2, protocol y" in shown
    assert "good" in shown
    assert "Not finished" in shown
    assert "torn" in shown


def test_published_prints_ours_beside_theirs(
    tmp_path: Path, make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run()
    assert main([str(tmp_path / "main"), "--published", "--format", "json"]) == 0
    tables = {table["title"]: table["rows"] for table in json.loads(capsys.readouterr().out)}
    rows = tables["bsd100 x2, protocol y: PSNR in dB, ours | published"]
    theirs = {(row["table"], row["published"]) for row in rows if row["precision"] == "int8"}
    assert theirs == {("2, S1", 31.58), ("4", 31.57)}


def test_an_empty_folder_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 0
    assert "No runs under" in capsys.readouterr().err


def test_a_missing_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "absent")]) == 1
    error = capsys.readouterr().err
    assert "Error: no folder at" in error
    assert error.count("\n") == 1


def test_a_picture_that_cannot_be_written_is_one_line(
    tmp_path: Path, make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds = [{"sparsity": 0.2, "psnr_y_db": 30.4}, {"sparsity": 0.36, "psnr_y_db": 30.1}]
    make_run(training={"iterations": 10, "pruning": {"rounds": rounds}})
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "main"), "--sparsity", str(tmp_path / "file/x.png")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: ") and error.count("\n") == 1


def test_it_answers_at_once_and_ends_quietly_in_a_closed_pipe(tmp_path: Path, make_run: MakeRun) -> None:
    make_run()
    command = f"{sys.executable} -m sr.report {tmp_path / 'main'} --published | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1


def test_no_heavy_import_is_needed() -> None:
    code = (
        "import sys, sr.report.command; sys.exit(any(name in sys.modules for name in ('torch', 'hydra', 'lightning')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
