"""The process of one job, `python -m sr.run <overrides>`: start it, wait, start it again if it was killed, end it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sr.launch.sweep_job import (
    JobEnd,
    SweepJob,
    ended_here,
    ending,
    error_in,
    refuse_other_files,
    thread_variables,
    was_killed,
)
from sr.runs.lock import holder
from sr.runs.signals import STOP_WITH_STDIN

_LOOK_S = 0.2
GRACE_S = 60.0
"""Seconds that a stopped job has to save a checkpoint before it is killed."""


class JobProcesses:
    """The jobs that this process runs at the moment, so that a stop ends all of them."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._running = 0
        self._lock = threading.Lock()

    def run(self, job: SweepJob) -> JobEnd:
        """Run a job to its end; a job that is killed is started again, and goes on from its last checkpoint."""
        if refused := refuse_other_files(job):
            return ended_here(job, refused, 0)
        if job.num_starts():  # an earlier machine or worker is gone; its process may still be saving
            self._wait_until_free(job)
        while True:
            starts = job.num_starts() + 1
            if starts > job.retries + 1:
                return ended_here(job, f"it was killed {starts - 1} times, launcher.retries={job.retries}", starts - 1)
            if self._stopping.is_set():
                return ended_here(job, "stopped before it began", starts - 1)
            status = self._run_once(job, starts)
            if status == 0:
                return ended_here(job, "", starts)
            if self._stopping.is_set() or not was_killed(status):
                return ended_here(job, error_in(job.log(starts), status), starts)
            with open(job.log(starts), "a", encoding="utf-8") as log:
                log.write(f"\nthe process {ending(status)}\n")

    def stop(self) -> None:
        """End all jobs with a checkpoint; returns when none runs any more."""
        self._stopping.set()
        while self._running:
            time.sleep(_LOOK_S)

    def _wait_until_free(self, job: SweepJob) -> None:
        end = time.monotonic() + GRACE_S
        while holder(job.folder) and time.monotonic() < end and not self._stopping.is_set():
            time.sleep(_LOOK_S)

    def _run_once(self, job: SweepJob, start: int) -> int:
        """Run the process once; returns its exit status."""
        environment = {**os.environ, **job.environment, **thread_variables(job.cpus), STOP_WITH_STDIN: "1"}
        with open(job.log(start), "wb") as log, self._counted():
            process = subprocess.Popen(
                [sys.executable, "-m", "sr.run", *job.overrides],
                cwd=job.home, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is for the launcher, which ends its jobs itself
            )  # fmt: skip
            try:
                while not self._stopping.is_set():
                    try:
                        return process.wait(timeout=_LOOK_S)
                    except subprocess.TimeoutExpired:
                        continue
            finally:
                end_process(process)
            return process.returncode

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count a process as running."""
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1


def end_process(process: "subprocess.Popen[bytes]") -> None:
    """End a process: closing its input is its sign to save a checkpoint; after `GRACE_S` it is killed."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(timeout=GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run_by_worker(job: SweepJob) -> JobEnd:
    """Run one job to its end in a worker of Ray or SLURM."""
    return JobProcesses().run(job)
