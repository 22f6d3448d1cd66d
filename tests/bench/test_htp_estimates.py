"""Estimates of a grid with the real compiler: impossible nets are listed, the second time the cache answers."""

import json
from pathlib import Path

import pytest

from sr.bench.command import main

TINY = ["htp", "model=quicksrnet", "model.f=8", "size=64x96", "export.estimates=[SA8775P]"]


@pytest.mark.aimet
@pytest.mark.qnn
def test_a_grid_with_an_impossible_net(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, cache = tmp_path / "grid.json", tmp_path / "cache"
    command = [*TINY, "model.m=0..1", "scale=2,7", f"data.cache={cache}", "--json", str(path)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "m=0 scale=7 cannot be estimated: scale is one of 1.5, 2, 3, 4, got 7" in printed
    assert "no phone's figure" in printed
    rows = json.loads(path.read_text())["figures"]["nets"]
    assert rows[0]["model"]["_target_"].endswith("QuickSRNet") and rows[0]["scale"] == 2
    assert [row["varied"] for row in rows] == [{"m": m, "scale": scale} for m in "01" for scale in "27"]
    assert ["reason" in row for row in rows] == [False, True, False, True]
    (estimate,) = rows[0]["estimates"]
    assert estimate["estimate_us"] == estimate["tail_estimates_us"][estimate["tail"]] > 0
    files = {file: file.stat().st_mtime_ns for file in cache.rglob("*.json")}
    assert len(files) == 4, "two nets in two forms"
    assert main([*command, "seed=1"]) == 0, "other weights"
    assert {file: file.stat().st_mtime_ns for file in cache.rglob("*.json")} == files
    assert json.loads(path.read_text())["figures"]["nets"][0]["estimates"] == rows[0]["estimates"]


@pytest.mark.qnn
@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["export.estimates=[SM8450,SA8775P]"],
            "gives no estimates for SM8450 (Snapdragon 8 Gen 1); it does for SA8540P",
        ),
        (["export.estimates=[]"], "export.estimates names no chip"),
        (["export=onnx"], "the estimates are of export=hexagon"),
        (["scale=7,8"], "no net of the grid can be estimated: "),
        (["model.m=1", "model.n=1..2"], "no net of the grid can be estimated: Could not override 'model.n'"),
    ],
)
def test_what_is_refused(overrides: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    start = TINY[:-1] if "export=onnx" in overrides else TINY
    assert main([*start, *overrides]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("Error: ") and message in said.err
    assert said.err.count("\n") == 1
