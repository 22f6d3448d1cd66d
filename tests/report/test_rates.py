"""The best rate of each net of a sweep; a net whose trainings all diverged is named, with rates to try."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from sr.report.command import main
from tests.report.conftest import CONFIG, score

MakeRun = Callable[..., Path]


def trained(make_run: MakeRun, lr: float, psnr_db: float, m: int = 2) -> None:
    """Write a finished run of a tune sweep."""
    make_run(
        experiment="tune",
        run=f"model_m{m}-optimizer.lr_{lr:g}",
        config={"optimizer": {"lr": lr}, "model": CONFIG["model"] | {"m": m}},
        quality={"bicubic": {"heldout": score(30.0)}, "float": {"heldout": score(psnr_db)}},
    )


def diverged(folder: Path, lr: float, m: int = 2) -> None:
    """Write a run that failed as a training does when its loss is not finite."""
    run = folder / "tune" / f"model_m{m}-optimizer.lr_{lr:g}"
    run.mkdir(parents=True)
    config = CONFIG | {"optimizer": {"lr": lr}, "model": CONFIG["model"] | {"m": m}}
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    error = "ValueError: the loss became nan at iteration 31; its batch is in x. Lower optimizer.lr"
    (run / "failed.json").write_text(json.dumps({"error": error, "time": "2026-01-01"}))


def test_the_best_rate_of_each_net(tmp_path: Path, make_run: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    for lr, psnr_db in ((1e-3, 31.0), (2.5e-3, 31.5)):
        trained(make_run, lr, psnr_db)
    trained(make_run, 1e-3, 29.0, m=5)
    diverged(tmp_path, 5e-3)
    assert main([str(tmp_path / "tune"), "--rates", "--format", "json"]) == 0
    (table,) = json.loads(capsys.readouterr().out)
    first, second = table["rows"]
    assert (first["net"], first["best_lr"], first["psnr_db"], first["remarks"]) == ("m2", 2.5e-3, 31.5, None)
    assert first["rates"] == "0.001 31.00, 0.0025 31.50, 0.005 diverged"
    assert (second["net"], second["remarks"]) == ("m5", "below bicubic: train longer, or add rates")


def test_a_net_that_diverged_at_all_rates_is_told(
    tmp_path: Path, make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(make_run, 1e-3, 31.0)
    for lr in (3e-3, 1e-2):
        diverged(tmp_path, lr, m=5)
    assert main([str(tmp_path / "tune"), "--rates"]) == 1
    shown = capsys.readouterr()
    assert "m5" in shown.out, "the table is shown all the same"
    assert "all rates diverged for m5, the lowest 0.003: add lower ones, such as optimizer.lr=0.0003,0.001" in shown.err
    trained(make_run, 3e-4, 30.5, m=5)
    assert main([str(tmp_path / "tune"), "--rates"]) == 0


def test_runs_without_a_rate_are_refused(tmp_path: Path, make_run: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    make_run()
    assert main([str(tmp_path / "main"), "--rates"]) == 1
    assert "no run here has an optimizer.lr; --rates is for the runs of sweeps=tune" in capsys.readouterr().err
