"""Run folders in every state that a run can be left in."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from sr.report.runs import find_runs, natural_key, read_run
from sr.runs.lock import claim

MakeRun = Callable[..., Path]


def started(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("scale: 2\n")
    return folder


def test_every_state_is_told(tmp_path: Path, make_run: MakeRun) -> None:
    make_run(run="done")
    failed = started(tmp_path / "main" / "failed")
    (failed / "failed.json").write_text(json.dumps({"error": "ValueError: too small", "time": "2026-01-01"}))
    started(tmp_path / "main" / "stopped")
    broken = started(tmp_path / "main" / "torn")
    (broken / "report.json").write_text('{"schema_version": 1, "run')
    with claim(started(tmp_path / "main" / "working")):
        found = {run.name: run for run in find_runs([tmp_path / "main"])}
    assert {name: run.status for name, run in found.items()} == {
        "done": "finished",
        "failed": "failed",
        "stopped": "unfinished",
        "torn": "broken",
        "working": "running",
    }
    assert found["failed"].error == "ValueError: too small"
    assert "report.json is not JSON" in found["torn"].error
    assert f"process {os.getpid()}" in found["working"].error
    assert found["stopped"].config == {"scale": 2}
    assert found["done"].report is not None


def test_a_run_is_called_as_its_folders_are_now(tmp_path: Path, make_run: MakeRun) -> None:
    moved = make_run(run="before").rename(tmp_path / "main" / "after")
    report = read_run(moved).report
    assert report is not None and (report.experiment, report.run) == ("main", "after")


def test_the_lock_tells_whether_a_run_goes_on_and_not_the_text(tmp_path: Path) -> None:
    folder = started(tmp_path / "main" / "killed")
    for text in (f"process {os.getpid()} on {socket.gethostname()}", "process 1 on some-other-host"):
        (folder / ".running").write_text(text)
        assert read_run(folder).status == "unfinished"
    with claim(folder):
        assert read_run(folder).status == "running"
    assert read_run(folder).status == "unfinished"


def test_runs_are_found_from_every_height_and_once(tmp_path: Path, make_run: MakeRun) -> None:
    for name in ("m_11", "m_2", "m_1"):
        make_run(run=name)
    make_run(experiment="other", run="default")
    assert [run.name for run in find_runs([tmp_path / "main"])] == ["m_1", "m_2", "m_11"]
    assert [run.experiment for run in find_runs([tmp_path])] == ["main"] * 3 + ["other"]
    assert len(find_runs([tmp_path, tmp_path / "main" / "m_1"])) == 4


def test_a_missing_place_is_an_error_and_an_empty_one_is_not(tmp_path: Path) -> None:
    assert find_runs([tmp_path]) == []
    with pytest.raises(ValueError, match=r"no folder at .*absent"):
        find_runs([tmp_path / "absent"])


@pytest.mark.parametrize("text", ["- a list", "{unclosed", "key: \x00"])
def test_a_damaged_config_or_failure_note_hides_nothing(tmp_path: Path, text: str) -> None:
    folder = started(tmp_path / "main" / "run")
    (folder / "config.yaml").write_text(text)
    (folder / "failed.json").write_text("{")
    assert read_run(folder).status == "unfinished"
    assert read_run(folder).config == {}


def test_numbers_in_names_sort_as_numbers() -> None:
    assert sorted(["f_64-m_2", "f_8-m_11", "f_8-m_2", "a"], key=natural_key) == ["a", "f_8-m_2", "f_8-m_11", "f_64-m_2"]
