"""The command keeps runs and writes the page; if a result is refused, nothing is written."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sr.results.command import main
from tests.report.conftest import score

StartRun = Callable[..., Path]


def test_runs_are_kept_and_the_page_is_written(tmp_path: Path, started_run: StartRun) -> None:
    run = started_run(experiment="main", run="a")
    assert main([str(run), "--kept", str(tmp_path / "results")]) == 0
    page = (tmp_path / "results.md").read_text()
    assert "| 31.61 | float | 31.20 | -0.41 |" in page
    assert main(["--kept", str(tmp_path / "results")]) == 0
    assert (tmp_path / "results.md").read_text() == page, "the kept files alone make the same page"


def test_a_result_of_another_protocol_leaves_nothing_behind(
    tmp_path: Path, started_run: StartRun, capsys: pytest.CaptureFixture[str]
) -> None:
    good = started_run(experiment="main", run="good")
    bad = started_run(
        "protocol=rgb", experiment="main", run="bad", protocol="rgb", config={"protocol": "rgb"},
        quality={"float": {"set5": score(33.0, protocol="rgb")}},
    )  # fmt: skip
    assert main([str(good), str(bad), "--kept", str(tmp_path / "results")]) == 1
    error = capsys.readouterr().err
    assert "is scored under protocol rgb, its published values under y" in error
    assert not (tmp_path / "results").exists() and not (tmp_path / "results.md").exists()
