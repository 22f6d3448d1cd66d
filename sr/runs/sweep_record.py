"""Record of a running sweep, `<outputs>/.sweeps/<id>/`: its jobs, how those that ended did, and the jobs' output.

The launcher holds the folder's lock as long as it runs: the record of a launcher that is gone does not count.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sr.runs.files import write_json
from sr.runs.lock import LOCK_NAME, claim, holder

SWEEPS_FOLDER, JOBS_FILE = ".sweeps", "jobs.json"


@dataclass(kw_only=True)
class SweepRecord:
    """Jobs of a sweep.

    Attributes:
        folder: Of the record.
        jobs: Run folder of each job.
        ended: {run folder: error, empty where all went well} of the jobs that ended.
    """

    folder: Path
    jobs: list[str]
    ended: dict[str, str] = field(default_factory=dict)

    def add_end(self, job: Path, error: str) -> None:
        """Note that a job has ended.

        Args:
            job: Its run folder.
            error: Why it failed; empty where all went well.
        """
        self.ended[str(job)] = error
        self.write()

    def write(self) -> None:
        """Write the record, atomically."""
        write_json(self.folder / JOBS_FILE, {"jobs": self.jobs, "ended": self.ended})


@contextmanager
def sweep_record(outputs: Path, name: str, jobs: Sequence[Path]) -> Iterator[SweepRecord]:
    """Keep the record of a sweep while its jobs run; the output of jobs stays where one failed.

    Args:
        outputs: Folder of all outputs.
        name: Of the sweep.
        jobs: Run folder of each job.
    """
    place = outputs / SWEEPS_FOLDER
    for old in place.glob("*/"):
        if old.name != name and not holder(old):
            shutil.rmtree(old, ignore_errors=True)
    with claim(place / name):
        record = SweepRecord(folder=place / name, jobs=[str(job) for job in jobs])
        record.write()
        try:
            yield record
        finally:
            (record.folder / JOBS_FILE).unlink(missing_ok=True)
    if len(record.ended) == len({*record.jobs}) and not any(record.ended.values()):
        shutil.rmtree(record.folder, ignore_errors=True)
        if not any(place.iterdir()):
            place.rmdir()


def job_states(outputs: Path) -> dict[Path, tuple[str, str]]:
    """Return {run folder: (state, error)} of the jobs of running sweeps that have no result of this sweep yet.

    The state is "waiting", "running" of a process that has not locked its folder yet, or "failed" with its error.

    Args:
        outputs: Folder of all outputs.
    """
    found: dict[Path, tuple[str, str]] = {}
    for path in record_files(outputs):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            jobs, ended = list(content["jobs"]), dict(content["ended"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if holder(path.parent):
            started = {log.name.partition("-")[0] for log in path.parent.glob("*-*.log")}
            for number, job in enumerate(jobs):
                if job not in ended:
                    state = ("running", "its process starts") if str(number) in started else ("waiting", "")
                    found.setdefault(Path(job), state)
            found |= {Path(job): ("failed", str(error)) for job, error in ended.items() if error}
    return found


def record_files(outputs: Path) -> list[Path]:
    """Return the files of the records below an outputs folder.

    Args:
        outputs: Folder of all outputs.
    """
    return [path for path in (outputs / SWEEPS_FOLDER).glob(f"*/{JOBS_FILE}") if (path.parent / LOCK_NAME).is_file()]
