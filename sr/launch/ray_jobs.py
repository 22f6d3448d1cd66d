"""Run jobs by Ray: one remote task a job, with the CPUs and the share of a GPU that Ray gave it."""

import logging
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sr.launch.extra import refuse_missing
from sr.launch.job_process import GRACE_S, run_by_worker
from sr.launch.sweep_job import JobEnd, SweepJob
from sr.runs.signals import raising_stops

_LOOK_S = 0.5
CONNECT_S = 5.0
TRIES = 3
"""Ray gives its own processes 30 seconds to start, which a busy machine may exceed."""


def run_by_ray(jobs: Sequence[SweepJob], settings: Mapping[str, Any]) -> Iterator[JobEnd]:
    """Run jobs as remote tasks; Ray sets CUDA_VISIBLE_DEVICES of each.

    Args:
        jobs: The jobs.
        settings: Of conf/launcher/ray.yaml.

    Yields:
        The end of each job, in the order in which they end.

    Raises:
        ValueError: Ray is not installed, does not answer, or no machine of it can hold a job.
    """
    refuse_missing("ray", "ray")
    import ray

    _connect(settings["address"])
    running: dict[Any, SweepJob] = {}
    try:
        with raising_stops():  # Ray has put a handler of its own for SIGTERM
            gpus = wanted_gpus(settings["gpus"], _machines())
            refuse_too_large(settings["cpus"], gpus, _machines())
            print(f"{len(jobs)} jobs by Ray, {settings['cpus']} CPUs and {gpus:g} GPUs each", flush=True)
            remote = ray.remote(num_cpus=settings["cpus"], num_gpus=gpus, max_retries=settings["retries"])(
                run_by_worker
            )
            running |= {remote.remote(job): job for job in jobs}
            while running:
                ready, _ = ray.wait([*running], timeout=_LOOK_S)
                for task in ready:
                    yield _end_of(task, running.pop(task))
    finally:
        _end(running)


def wanted_gpus(given: float | None, machines: Sequence[Mapping[str, float]]) -> float:
    """Return the GPUs of a job: as set, else one where there are GPUs.

    >>> wanted_gpus(None, [{"CPU": 8.0, "GPU": 2.0}]), wanted_gpus(None, [{"CPU": 8.0}])
    (1, 0)
    """
    if given is not None:
        return given
    return 1 if any(machine.get("GPU") for machine in machines) else 0


def refuse_too_large(cpus: int, gpus: float, machines: Sequence[Mapping[str, float]]) -> None:
    """Raise ValueError if no machine has what one job needs: Ray would wait for ever.

    Args:
        cpus: Of a job.
        gpus: Of a job.
        machines: Resources of each machine, "CPU" and "GPU".

    Raises:
        ValueError: With what the largest machines have.
    """
    if not any(machine.get("CPU", 0) >= cpus and machine.get("GPU", 0) >= gpus for machine in machines):
        most = {name: max((machine.get(name, 0) for machine in machines), default=0) for name in ("CPU", "GPU")}
        raise ValueError(
            f"launcher.cpus={cpus} launcher.gpus={gpus:g}: no machine of Ray has as many; the most of one are "
            f"{most['CPU']:g} CPUs and {most['GPU']:g} GPUs"
        )


def _connect(address: str | None) -> None:
    """Start a Ray of this machine alone, or join a cluster.

    Raises:
        ValueError: Nothing answers.
    """
    import ray

    advice = "start one with `ray start --head`, correct launcher.address, or leave it out for this machine alone"
    host, _, port = (address or "").rpartition(":")
    if host and port.isdecimal() and "://" not in str(address):
        try:
            socket.create_connection((host, int(port)), timeout=CONNECT_S).close()
        except (OSError, OverflowError) as error:
            raise ValueError(f"launcher.address={address}: no Ray answers there ({error}); {advice}") from error
    for left in reversed(range(1 if address else TRIES)):
        try:
            ray.init(
                address=address or "local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
            )
            return
        except Exception as error:  # Ray's own are plain ones
            ray.shutdown()
            if left == 0:
                text = " ".join(str(error).split())[:200]
                raise ValueError(
                    f"launcher.address={address or 'null'}: Ray cannot be used ({text}); {advice}"
                ) from error


def _machines() -> list[dict[str, float]]:
    """Return the resources of each machine of the cluster."""
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _end_of(task: Any, job: SweepJob) -> JobEnd:
    """Return the end of a task; one whose workers died too often has failed."""
    import ray

    try:
        return ray.get(task)
    except ray.exceptions.RayError as error:
        text = " ".join(str(error).split())[:300]
        return JobEnd(number=job.number, error=f"Ray: {text}", host="Ray", starts=job.num_starts())


def _end(running: Mapping[Any, SweepJob]) -> None:
    """Cancel the tasks that still run, let them save their checkpoints, and leave Ray."""
    import ray

    for task in running:
        ray.cancel(task)
    if running:
        ray.wait([*running], num_returns=len(running), timeout=GRACE_S)
    ray.shutdown()
