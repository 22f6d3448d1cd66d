"""Run jobs on this machine, several at once, by joblib."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sr.launch.extra import refuse_missing
from sr.launch.job_process import JobProcesses
from sr.launch.sweep_job import JobEnd, SweepJob
from sr.runs.cores import num_cores


def run_by_joblib(jobs: Sequence[SweepJob], settings: Mapping[str, Any]) -> Iterator[JobEnd]:
    """Run jobs in threads that each wait for the process of one job.

    Args:
        jobs: The jobs.
        settings: Of conf/launcher/joblib.yaml.

    Yields:
        The end of each job, in the order in which they end.

    Raises:
        ValueError: joblib is not installed.
    """
    refuse_missing("joblib", "joblib")
    from joblib import Parallel, delayed

    at_once = settings["jobs"] or max(1, num_cores() // settings["cpus"])
    processes = JobProcesses()
    print(f"{len(jobs)} jobs by joblib, {at_once} at once, {settings['cpus']} threads each", flush=True)
    try:
        run = Parallel(n_jobs=at_once, backend="threading", return_as="generator_unordered", batch_size=1)
        yield from run(delayed(processes.run)(job) for job in jobs)
    finally:
        processes.stop()
