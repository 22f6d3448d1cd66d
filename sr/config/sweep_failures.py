"""Hydra's callback of a sweep: name it for its jobs, and list those that failed at its end."""

import os
import sys
import uuid
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from sr.runs.training_lock import SWEEP


class ListFailures(Callback):
    """At the end of a sweep, list the jobs that failed with their errors, and exit with status 1."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        self.jobs = 0

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Name the sweep for all of its jobs, which may be processes of their own."""
        os.environ[SWEEP] = uuid.uuid4().hex

    def on_job_end(self, config: DictConfig, job_return: Any, **_: Any) -> None:
        """Remember a job that returned an error."""
        self.jobs += 1
        if job_return.status.name == "COMPLETED" and job_return.return_value is not None:
            folder = Path(config.hydra.runtime.output_dir)
            self.failed["/".join(folder.parts[-2:])] = str(job_return.return_value)

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Print the list."""
        if self.failed:
            lines = "".join(f"\n  {name}: {error}" for name, error in self.failed.items())
            sys.exit(f"{len(self.failed)} of {self.jobs} jobs failed; the same command runs only these again:{lines}")
