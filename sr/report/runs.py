"""Run folders and their states: finished, running, waiting, failed, unfinished, broken."""

import functools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sr.report.record import REPORT_NAME, Report, read_report
from sr.runs.files import read_yaml, stamp
from sr.runs.lock import holder
from sr.runs.sweep_record import job_states

MARKS = ("config.yaml", REPORT_NAME, "failed.json")
"""A folder with one of these is a run's."""
MAX_KEPT = 5000
"""Reports kept in memory, so that a page that is served reads only those that changed."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run folder.

    Attributes:
        folder: Where it is.
        status: "finished", "running", "waiting" (a job of a sweep that runs), "failed", "unfinished" or "broken" (a
            report that cannot be read).
        report: The report of a finished run, under the names of the folders that it lies in now, else None.
        config: The config of the report, else of `config.yaml`; empty if neither can be read.
        error: Why it failed or is broken, or who holds it; empty otherwise.
    """

    folder: Path
    status: str
    report: Report | None = None
    config: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def name(self) -> str:
        """Return the folder name of the run."""
        return self.folder.name

    @property
    def experiment(self) -> str:
        """Return the name of the folder above it."""
        return self.folder.parent.name


def find_runs(places: Iterable[Path]) -> list[Run]:
    """Read all runs of some places, in natural order of their folders' names.

    Args:
        places: Run folders, experiments (folders of runs) or folders of experiments.

    Raises:
        ValueError: if a place does not exist.
    """
    folders: set[Path] = set()
    jobs: dict[Path, tuple[str, str]] = {}
    for place in places:
        if not place.is_dir():
            raise ValueError(f"no folder at {place}; give outputs/<experiment>, a run folder, or outputs itself")
        place = place.resolve()
        below = [place, *(each for each in (*place.glob("*/"), *place.glob("*/*/")) if each.name[0] != ".")]
        folders |= {folder for folder in below if any((folder / mark).is_file() for mark in MARKS)}
        found = {job.resolve(): state for root in sweep_roots(place) for job, state in job_states(root).items()}
        jobs |= {job: state for job, state in found.items() if job.is_relative_to(place)}
    ordered = sorted(folders | jobs.keys(), key=lambda folder: natural_key(str(folder)))
    return [_as_job(read_run(folder), *jobs.get(folder, ("", ""))) for folder in ordered]


def sweep_roots(place: Path) -> list[Path]:
    """Return the folders that may be the outputs folder of a place: the record of its sweeps lies there."""
    return [place, *place.parents[:2]]


def _as_job(run: Run, status: str, error: str) -> Run:
    """Return a run with its state in a running sweep, which counts more than what an earlier start left."""
    if not status or run.status in ("finished", "running", "broken"):
        return run
    return replace(run, status=status, error=error)


def read_run(folder: Path) -> Run:
    """Read one run folder; damaged files change its status and raise nothing."""
    found = stamp(folder / REPORT_NAME)
    if found:
        return _finished(folder, found)
    config = _config(folder)
    held_by = holder(folder)
    if held_by:
        return Run(folder=folder, status="running", config=config, error=held_by)
    failure = _read_mapping(folder / "failed.json")
    if failure:
        return Run(folder=folder, status="failed", config=config, error=str(failure.get("error", "no reason written")))
    return Run(folder=folder, status="unfinished", config=config)


@functools.lru_cache(maxsize=MAX_KEPT)
def _finished(folder: Path, _: tuple[int, int, int]) -> Run:
    """Read a run with a report, once for each stamp of the report."""
    try:
        report = replace(read_report(folder / REPORT_NAME), experiment=folder.parent.name, run=folder.name)
        return Run(folder=folder, status="finished", report=report, config=report.config)
    except (ValueError, OSError) as error:
        return Run(folder=folder, status="broken", config=_config(folder), error=str(error))


def natural_key(name: str) -> list[tuple[int, str]]:
    """Return a sort key that puts m_5 before m_11.

    >>> sorted(["m_11", "m_5", "m_1"], key=natural_key)
    ['m_1', 'm_5', 'm_11']
    """
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"([0-9]+)", name)]


def _config(folder: Path) -> dict[str, Any]:
    """Return the config of a run without a report; empty if it has none that can be read."""
    return _read_mapping(folder / "config.yaml")


def _read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML or JSON file; empty if there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path.suffix == ".json" else read_yaml(path)
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
