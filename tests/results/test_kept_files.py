"""Results are written, read back unchanged, replaced by newer ones, and refused if there is nothing to keep."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sr.results.kept_files import read_kept, reduced, write_kept

StartRun = Callable[..., Path]


def test_what_is_written_is_read_back(tmp_path: Path, started_run: StartRun, grid: Path) -> None:
    run = started_run(experiment="table", run="a")
    started_run(experiment="table", run="b")
    found = reduced([run.parent, grid])
    paths = write_kept(found, tmp_path / "kept")
    assert len(found.reports) == 2 and list(found.estimates) == ["htp/grid"]
    assert {path.parent.name for path in paths} == {"table", "htp"}
    assert read_kept(tmp_path / "kept") == found
    write_kept(reduced([run]), tmp_path / "kept")
    assert len(read_kept(tmp_path / "kept").reports) == 2, "the same run again replaces its file"


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    kept = read_kept(tmp_path / "none")
    assert (kept.reports, kept.estimates) == ({}, {})


def test_a_place_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"no finished run at {tmp_path}; give a run folder, outputs/<experiment>"):
        reduced([tmp_path])
