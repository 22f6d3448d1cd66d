"""Gather what the stages left into the report of a run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr.report.provenance import maker
from sr.report.record import Report
from sr.runs.files import read_json
from sr.runs.identity import kept_config
from sr.stages.starts import starts
from sr.stages.training import TRAINED_RESULT, TRAINING_FIGURES


@dataclass(frozen=True, kw_only=True)
class FinalReport:
    """Write `report.json`, last of all files; null leaves a run without it, and so unfinished."""

    def gather(self, folder: Path, results: Mapping[str, Mapping[str, Any]], skipped: Mapping[str, str]) -> Report:
        """Return the report of a run.

        Args:
            folder: of the run.
            results: of its stages, by their files.
            skipped: reasons of stages that had nothing to do.
        """
        config, trained = kept_config(folder), read_json(folder / TRAINED_RESULT)
        figures, everything = read_json(folder / TRAINING_FIGURES), [trained, *results.values()]
        made_by = maker()
        return Report(
            experiment=folder.parent.name,
            run=folder.name,
            config=config,
            protocol=config["protocol"],
            git={key: made_by[key] for key in ("commit", "dirty")},
            versions=made_by["versions"],
            data=read_json(folder / "data.json"),
            training=training_figures(figures, config) | figures.get("facts", {}),
            quality=merged(results.values()),
            cost=_part(results, "cost"),
            export=_part(results, "export"),
            stage_seconds=_seconds(everything),
            made_by={"starts": starts(folder), **_makers(everything)},
            skipped=dict(skipped),
        )


def _part(results: Mapping[str, Mapping[str, Any]], stage: str) -> dict[str, Any]:
    return next((result.get(stage, {}) for result in results.values() if result["stage"] == stage), {})


def _seconds(results: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Sum the seconds of each stage; those of the training stand elsewhere."""
    seconds = dict[str, float]()
    for result in results:
        if result["stage"] != "train":
            seconds[result["stage"]] = seconds.get(result["stage"], 0) + result["seconds"]
    return seconds


def _makers(results: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        result["stage"]: result["made_by"]
        | ({"reused_from": result["reused_from"]} if result.get("reused_from") else {})
        for result in results
    }


def merged(results: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Join the scores of all stages: {form of the net: {set: score}}; a score may come in parts from several."""
    joined: dict[str, Any] = {}
    for result in results:
        for form, sets in result.get("quality", {}).items():
            for name, score in sets.items():
                joined.setdefault(form, {}).setdefault(name, {}).update(score)
    return joined


def training_figures(totals: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the length and speed of a training with the settings that they are read with."""
    seconds = totals["seconds"] or float("nan")
    return {
        "iterations": totals["iterations"],
        "seconds": totals["seconds"],
        "iterations_per_second": totals["iterations"] / seconds,
        "loader_wait_share": totals["loader_wait_seconds"] / seconds,
        **{key: config["train"][key] for key in ("precision", "budget", "ema_decay")},
    }
