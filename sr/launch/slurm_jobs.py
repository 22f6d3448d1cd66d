"""Run jobs as one job array of SLURM, by submitit."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sr.launch.extra import refuse_missing
from sr.launch.job_process import JobProcesses
from sr.launch.sweep_job import JobEnd, SweepJob

_LOOK_S = 2.0
MISSED = 5
"""Looks in a row in which SLURM does not know a job that left no result, until it counts as lost."""
_HERE = JobProcesses()


@dataclass(frozen=True)
class SubmittedJob:
    """A job as submitit sends it to a node.

    Args:
        job: The job.
    """

    job: SweepJob

    def __call__(self) -> JobEnd:
        """Run the job on the node."""
        return _HERE.run(self.job)

    def checkpoint(self) -> Any:
        """End the job with a checkpoint before SLURM does, and ask for another start: its time is over."""
        from submitit.helpers import DelayedSubmission

        _HERE.stop()
        return DelayedSubmission(self)


def run_by_slurm(jobs: Sequence[SweepJob], settings: Mapping[str, Any]) -> Iterator[JobEnd]:
    """Send jobs as an array, and wait for them.

    Args:
        jobs: The jobs.
        settings: Of conf/launcher/slurm.yaml.

    Yields:
        The end of each job, in the order in which they end.

    Raises:
        ValueError: submitit or SLURM is missing, or SLURM refuses the jobs.
    """
    refuse_missing("slurm", "submitit")
    if shutil.which("sbatch") is None:
        raise ValueError(
            "launcher=slurm needs SLURM's command sbatch, which this machine does not have; start the sweep on a login "
            "node of the cluster, or take launcher=joblib or launcher=ray"
        )
    yield from run_by_submitit(jobs, settings, cluster="slurm")


def run_by_submitit(jobs: Sequence[SweepJob], settings: Mapping[str, Any], *, cluster: str) -> Iterator[JobEnd]:
    """Send jobs by an executor of submitit, and wait for them.

    Args:
        jobs: The jobs, at least one.
        settings: Of conf/launcher/slurm.yaml.
        cluster: "slurm", or "local" for processes on this machine.

    Yields:
        The end of each job, in the order in which they end.

    Raises:
        ValueError: SLURM refuses the jobs.
    """
    from submitit import AutoExecutor

    executor = AutoExecutor(folder=jobs[0].logs / "submitit", cluster=cluster)
    executor.update_parameters(**parameters(settings))
    running: dict[Any, SweepJob] = {}
    missed: dict[Any, int] = {}
    try:
        running |= _submitted(executor, jobs)
        names = ", ".join(dict.fromkeys(each.job_id.split("_")[0] for each in running))
        print(f"{len(jobs)} jobs by {cluster}, array {names}, {settings['array_parallelism']} at once", flush=True)
        while running:
            known = _known_to(cluster, [*running])
            for each in [*running]:
                missed[each] = 0 if each.job_id in known else missed.get(each, 0) + 1
                if each.paths.result_pickle.is_file():
                    yield _end_of(each, running.pop(each))
                elif missed[each] >= MISSED:
                    job = running.pop(each)
                    if job.num_starts() > job.retries:
                        yield JobEnd(number=job.number, error=_lost(each), host=cluster, starts=job.num_starts())
                    else:
                        running |= _submitted(executor, [job])
            time.sleep(_LOOK_S)
    finally:
        for each in running:
            each.cancel(check=False)


def parameters(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as submitit names them.

    Args:
        settings: Of conf/launcher/slurm.yaml.
    """
    found = {
        "name": "sr",
        "timeout_min": settings["timeout_min"],
        "cpus_per_task": settings["cpus"],
        "gpus_per_node": settings["gpus"] or None,
        "mem_gb": settings["mem_gb"],
        "slurm_partition": settings["partition"],
        "slurm_array_parallelism": settings["array_parallelism"],
        "slurm_setup": list(settings["setup"]) or None,
        "slurm_additional_parameters": dict(settings["options"]) or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _submitted(executor: Any, jobs: Sequence[SweepJob]) -> dict[Any, SweepJob]:
    """Send jobs in one array.

    Raises:
        ValueError: SLURM refuses them; with its words.
    """
    from submitit.core.utils import FailedJobError

    sent = []
    try:
        with executor.batch():
            sent = [executor.submit(SubmittedJob(job)) for job in jobs]
    except (FailedJobError, subprocess.CalledProcessError) as error:
        words = " ".join(str(getattr(error, "stderr", "") or error).split())[:300]
        raise ValueError(f"SLURM refuses the jobs: {words}; see launcher.partition, launcher.options") from error
    return dict(zip(sent, jobs, strict=True))


def _known_to(cluster: str, jobs: Sequence[Any]) -> set[str]:
    """Return the ids of the jobs that wait or run. Asked of squeue: sacct needs accounting, which clusters may lack."""
    if cluster != "slurm":
        return {each.job_id for each in jobs if not each.done()}
    arrays = ",".join(dict.fromkeys(each.job_id.split("_")[0] for each in jobs))
    command = ["squeue", "--noheader", "--array", "--format=%i", f"--jobs={arrays}"]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode and "Invalid job id" not in answer.stderr:  # SLURM does not answer now: all may still run
        return {each.job_id for each in jobs}
    return {line.strip() for line in answer.stdout.splitlines()}


def _end_of(each: Any, job: SweepJob) -> JobEnd:
    """Return what a job left."""
    from submitit.core.utils import FailedJobError

    try:
        return each.result()
    except (FailedJobError, OSError, EOFError) as error:
        text = " ".join(str(error).split())[-300:]
        return JobEnd(number=job.number, error=f"{text} (output: {each.paths.stderr})", host="slurm")


def _lost(each: Any) -> str:
    """Say that a job is gone, with the last words of its output."""
    tail = each.paths.stderr.read_text(errors="replace").split()[-30:] if each.paths.stderr.is_file() else []
    return f"SLURM job {each.job_id} is gone without a result; its output ends: {' '.join(tail) or '(nothing)'}"
