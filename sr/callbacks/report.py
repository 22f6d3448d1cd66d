"""The end of a run: gather what the stages left into `report.json`, which says that the run is finished."""

from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from rich.console import Console

from sr.callbacks import throughput
from sr.callbacks.stage import Stage, callbacks_of
from sr.callbacks.tracking import log_report
from sr.report.provenance import git_state, versions
from sr.report.record import Report, write_report
from sr.report.render import show
from sr.report.runs import read_run
from sr.report.table import quality_tables
from sr.runs.files import read_json
from sr.runs.folders import ROOT
from sr.runs.identity import kept_config
from sr.tasks.regression import Regression


class WriteReport(Callback):
    """Hand what the stages left to the logger; write `report.json`, last of all files; print the run's table."""

    def on_fit_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Gather and write, unless training was stopped early."""
        if trainer.global_step < trainer.max_steps:
            return
        assert isinstance(task, Regression)
        folder = Path(trainer.default_root_dir)
        results = {stage.title: read_json(folder / stage.result) for stage in callbacks_of(trainer, Stage)}
        config = kept_config(folder)
        report = Report(
            experiment=folder.parent.name,
            run=folder.name,
            config=config,
            protocol=config["protocol"],
            git=git_state(ROOT),
            versions=versions(),
            data=read_json(folder / "data.json"),
            training=training_figures(read_json(folder / throughput.NAME), config) | task.facts(),
            quality=merged(results),
            cost=results.get("cost", {}).get("cost", {}),
            export=results.get("export", {}).get("export", {}),
            stage_seconds={title: result["seconds"] for title, result in results.items()},
        )
        for logger in trainer.loggers:
            log_report(logger, report, folder, trainer.global_step)
        write_report(report, folder)
        show(quality_tables([read_run(folder)]), "text", Console())


def merged(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Join the scores of all stages: {stage of the net: {set: score}}; a score may come in parts from several."""
    joined: dict[str, Any] = {}
    for result in results.values():
        for stage, sets in result.get("quality", {}).items():
            for name, score in sets.items():
                joined.setdefault(stage, {}).setdefault(name, {}).update(score)
    return joined


def training_figures(totals: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """The clock's totals with the settings that they are read with."""
    seconds = totals["seconds"] or float("nan")
    return {
        "iterations": totals["iterations"],
        "seconds": totals["seconds"],
        "iterations_per_second": totals["iterations"] / seconds,
        "loader_wait_share": totals["loader_wait_seconds"] / seconds,
        **{key: config["train"][key] for key in ("precision", "budget", "ema_decay")},
    }
