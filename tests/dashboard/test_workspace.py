"""The workspace and the report on W&B, as far as they go without an account."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sr.dashboard.command import main
from sr.dashboard.workspace import panels_of, report, workspace
from sr.report.runs import find_runs
from sr.report.summary import flat_numbers

pytest.importorskip("wandb_workspaces", reason="these tests need wandb-workspaces: make install-dev")
MakeRun = Callable[..., Path]


def test_every_number_that_a_panel_asks_for_was_logged(tmp_path: Path, make_run: MakeRun) -> None:
    make_run()
    runs = find_runs([tmp_path])
    view = workspace(runs, entity="me", project="sr")._to_model().model_dump(by_alias=True, mode="json")
    text = json.dumps(view)
    logged = flat_numbers(runs[0].report)
    panels = [panel for part in view["spec"]["section"]["panelBankConfig"]["sections"] for panel in part["panels"]]
    asked = {
        panel["config"][axis].removeprefix("summary:")
        for panel in panels
        if panel["viewType"] == "Scatter Plot"
        for axis in ("xAxis", "yAxis")
    }
    assert {"report/estimate/SA8775P_ms", "simulated/bsd100/psnr_y_db"} <= asked <= set(logged)
    assert '"config:model.value.m"' in text and '"config:quantization.value.name"' in text
    assert "nets" in json.dumps(view["spec"]["section"]["runSets"])


def test_the_report_has_the_same_panels(tmp_path: Path, make_run: MakeRun) -> None:
    make_run()
    runs = find_runs([tmp_path])
    made = report(runs, entity="me", project="sr")
    grids = [block for block in made.blocks if hasattr(block, "panels")]
    assert [len(grid.panels) for grid in grids] == [len(panels) for panels in panels_of(runs).values()]
    assert all(grid.runsets[0].filters == "Group = 'nets'" for grid in grids)


def test_without_a_login_it_says_what_to_do(
    tmp_path: Path, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run()
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    assert main([str(tmp_path / "nets"), "--wandb"]) == 1
    assert "Error: no W&B login: run `wandb login`" in capsys.readouterr().err
