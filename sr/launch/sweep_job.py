"""One job of a sweep: what is run where, and how it ended."""

import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STOPPED_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, kw_only=True)
class SweepJob:
    """A job that any machine can start which sees the same folders.

    Attributes:
        number: Of the job in the sweep, from 0.
        folder: Run folder.
        overrides: Of `python -m sr.run`.
        logs: Folder of the sweep's record, for the output of its jobs.
        home: Folder that the command was started in.
        environment: Variables of the command that a job needs: SR_* and PYTHONPATH.
        cpus: Threads.
        retries: How often it is started again after it was killed.
    """

    number: int
    folder: Path
    overrides: tuple[str, ...]
    logs: Path
    home: Path
    environment: Mapping[str, str]
    cpus: int
    retries: int

    def log(self, attempt: int) -> Path:
        """Return the file of the output of a start, counted from 1."""
        return self.logs / f"{self.number}-{attempt}.log"

    def num_starts(self) -> int:
        """Return how often the job was started in this sweep, on whatever machine."""
        return len([*self.logs.glob(f"{self.number}-*.log")])


@dataclass(frozen=True, kw_only=True)
class JobEnd:
    """End of a job.

    Attributes:
        number: Of the job.
        error: Why it failed; empty where all went well.
        host: Machine that ran it.
        starts: Number of starts.
    """

    number: int
    error: str
    host: str = ""
    starts: int = 1


def ended_here(job: SweepJob, error: str, starts: int) -> JobEnd:
    """Return the end of a job on this machine."""
    return JobEnd(number=job.number, error=error, host=socket.gethostname(), starts=starts)


def inherited_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a command's environment that its jobs need on every machine.

    >>> inherited_variables({"SR_DATA": "/data", "HOME": "/root"})
    {'SR_DATA': '/data'}
    """
    return {key: value for key, value in environment.items() if key.startswith("SR_") or key == "PYTHONPATH"}


def thread_variables(cpus: int) -> dict[str, str]:
    """Return the variables by which torch, numpy's BLAS and OpenMP take as many threads.

    >>> thread_variables(2)["OMP_NUM_THREADS"]
    '2'
    """
    return dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(cpus))


def error_in(log: Path, status: int) -> str:
    """Return why a process failed: the last line of its output that names an error.

    Args:
        log: Its output.
        status: Its exit status, not 0; negative for the number of a signal.
    """
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    told = next((line.removeprefix("Error: ") for line in reversed(lines) if line.startswith("Error: ")), "")
    if told:
        return told
    return f"the process {ending(status)}; its output: {log}"


def ending(status: int) -> str:
    """Describe the exit status of a process.

    >>> ending(1), ending(-9), ending(143)
    ('ended with status 1', 'was killed by SIGKILL', 'was stopped by SIGTERM')
    """
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    if status - 128 in [*STOPPED_SIGNALS]:
        return f"was stopped by {signal.Signals(status - 128).name}"
    return f"ended with status {status}"


def was_killed(status: int) -> bool:
    """Tell whether the system killed a process, such as for want of memory, and not a user with Ctrl-C or `kill`."""
    return status < 0 and -status not in STOPPED_SIGNALS


def refuse_other_files(job: SweepJob) -> str:
    """Return why this machine cannot run a job: it does not see the folders of the launcher; empty if it does."""
    if not job.logs.is_dir() or not os.access(job.logs, os.W_OK):
        return (
            f"{job.logs.parent.parent} of machine {socket.gethostname()} is not the folder that the sweep was started "
            "with: outputs/ must lie on a file system that all machines share; name one with SR_OUTPUTS=<folder>"
        )
    if not job.home.is_dir():
        return f"machine {socket.gethostname()} has no folder {job.home}; start the sweep in a folder that all share"
    return ""


def without_launcher(overrides: Sequence[str]) -> list[str]:
    """Return the overrides of a job without those of the launcher.

    >>> without_launcher(["model.m=1", "launcher=ray", "launcher.gpus=0.5", "++launcher.cpus=2"])
    ['model.m=1']
    """
    keys = [(item, item.lstrip("+~").split("=")[0]) for item in overrides]
    return [item for item, key in keys if key != "launcher" and not key.startswith("launcher.")]
