"""Jobs of a sweep: prepare them, let a launcher run them, tell how each ended."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from sr.config.command_line import text_override
from sr.config.schema import find_kind
from sr.launch.sweep_job import JobEnd, SweepJob, inherited_variables, without_launcher
from sr.runs.signals import raising_stops, stopped_by
from sr.runs.sweep_record import SweepRecord, sweep_record
from sr.runs.training_lock import SWEEP

BASIC = {"_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"}
HYDRAS_OWN = ("hydra.mode", "hydra.run.dir", "hydra.sweeper", "hydra.launcher")
"""Overrides of Hydra that are the sweep's, and not its jobs'."""
RunJobs = Callable[[Sequence[SweepJob], Mapping[str, Any]], Iterator[JobEnd]]


def launch_jobs(
    config: DictConfig,
    context: HydraContext,
    task_function: TaskFunction,
    job_overrides: Sequence[Sequence[str]],
    first: int,
) -> list[JobReturn]:
    """Run the jobs of a sweep; returns when all have ended.

    Args:
        config: The composed config of the sweep.
        context: Hydra's config loader and callbacks.
        task_function: What a job runs, for `launcher=basic`.
        job_overrides: Overrides of each job.
        first: Number of the first job.

    Raises:
        ValueError: A setting of the launcher, a package or a service that it needs.
        SystemExit: Ctrl-C or SIGTERM ended the jobs.
    """
    settings = checked_settings(config)
    setup_globals()
    configs = [_config_of(config, context, overrides, first + i) for i, overrides in enumerate(job_overrides)]
    folders = [Path(each.hydra.runtime.output_dir) for each in configs]
    with sweep_record(Path(config.hydra.sweep.dir).absolute(), os.environ[SWEEP], folders) as record:
        if settings["kind"] == "basic":
            return _run_here(config, context, task_function, job_overrides, first, record)
        jobs = [
            _job(config, settings, record, number, overrides, folders[number])
            for number, overrides in enumerate(job_overrides)
            if folders.index(folders[number]) == number  # settings of the machine may give one run twice
        ]
        ends = _run_elsewhere(jobs, settings, record)
    for job in jobs:
        context.callbacks.on_job_end(configs[job.number], job_return=_returned(job, ends[job.number]))
    return [_returned(job, ends[job.number]) for job in jobs]


def checked_settings(config: DictConfig) -> dict[str, Any]:
    """Return the settings of the launcher.

    Raises:
        ValueError: A value that its key does not take.
    """
    chosen = config.hydra.runtime.choices.get("launcher")
    settings = OmegaConf.to_container(config.launcher, resolve=True) if chosen else {"kind": "basic"}
    assert isinstance(settings, dict)
    if chosen and settings["kind"] != chosen:
        raise ValueError(f"launcher.kind follows from launcher, got {settings['kind']!r}; write launcher=<name>")
    found = {str(key): value for key, value in settings.items()}
    for key, value in found.items():
        if kind := find_kind(f"launcher.{key}"):
            kind.check(f"launcher.{key}", value)
    return found


def runner_of(kind: str) -> RunJobs:
    """Return the function that runs jobs by a launcher."""
    if kind == "joblib":
        from sr.launch.joblib_jobs import run_by_joblib

        return run_by_joblib
    if kind == "ray":
        from sr.launch.ray_jobs import run_by_ray

        return run_by_ray
    from sr.launch.slurm_jobs import run_by_slurm

    return run_by_slurm


def _config_of(config: DictConfig, context: HydraContext, overrides: Sequence[str], number: int) -> DictConfig:
    """Compose the config of a job, with its run folder."""
    composed = context.config_loader.load_sweep_config(config, list(overrides))
    HydraConfig.instance().set_config(composed)  # the folder's name is an interpolation of it
    with read_write(composed.hydra), open_dict(composed.hydra):
        composed.hydra.job.id = composed.hydra.job.num = number
        composed.hydra.runtime.output_dir = str(Path(composed.hydra.sweep.dir, composed.hydra.sweep.subdir).absolute())
    return composed


def _job(
    config: DictConfig,
    settings: Mapping[str, Any],
    record: SweepRecord,
    number: int,
    overrides: Sequence[str],
    folder: Path,
) -> SweepJob:
    hydras = [item for item in config.hydra.overrides.hydra if not item.lstrip("+~").startswith(HYDRAS_OWN)]
    place = text_override("hydra.run.dir", str(folder))
    return SweepJob(
        number=number,
        folder=folder,
        overrides=(*without_launcher(overrides), *hydras, "hydra.mode=RUN", place),
        logs=record.folder,
        home=Path.cwd(),
        environment=inherited_variables(os.environ),
        cpus=settings["cpus"],
        retries=settings["retries"],
    )


def _run_here(
    config: DictConfig,
    context: HydraContext,
    task_function: TaskFunction,
    job_overrides: Sequence[Sequence[str]],
    first: int,
    record: SweepRecord,
) -> list[JobReturn]:
    """Run the jobs one after another in this process, as Hydra does."""
    with open_dict(config):
        config.hydra.launcher = BASIC
    launcher = Plugins.instance().instantiate_launcher(context, task_function, config)
    found: list[JobReturn] = []
    for number, overrides in enumerate(job_overrides):
        found += launcher.launch([overrides], first + number)
        error = found[-1]._return_value if found[-1].status is JobStatus.COMPLETED else "an error"
        record.add_end(Path(record.jobs[number]), str(error or ""))
    return found


def _run_elsewhere(jobs: Sequence[SweepJob], settings: Mapping[str, Any], record: SweepRecord) -> dict[int, JobEnd]:
    """Run jobs as processes, and print how each ended."""
    ends: dict[int, JobEnd] = {}
    run = runner_of(settings["kind"])
    folders = {job.number: job.folder for job in jobs}
    try:
        with raising_stops():
            for end in run(jobs, settings):
                ends[end.number] = end
                record.add_end(folders[end.number], end.error)
                print(f"[{len(ends)}/{len(jobs)}] {_told(end, folders[end.number])}", flush=True)
    except BaseException as error:
        if number := stopped_by(error):
            done = sum(not end.error for end in ends.values())
            print(f"\n{done} of {len(jobs)} jobs are finished.", file=sys.stderr)
            sys.exit(128 + number)
        raise
    return ends


def _told(end: JobEnd, folder: Path) -> str:
    """Describe the end of a job."""
    name = "/".join(folder.parts[-2:])
    again = f", started {end.starts} times" if end.starts > 1 else ""
    return f"FAILED {name} on {end.host}{again}: {end.error}" if end.error else f"finished {name} on {end.host}{again}"


def _returned(job: SweepJob, end: JobEnd) -> JobReturn:
    """Return the end of a job as Hydra and its callbacks take it."""
    found = JobReturn(overrides=list(job.overrides), status=JobStatus.COMPLETED)
    found.return_value = end.error or None
    return found
