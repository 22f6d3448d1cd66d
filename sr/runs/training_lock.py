"""Train one key in one process at a time: a second process waits and then takes the result."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sr.runs.files import read_json, write_json
from sr.runs.lock import claim

SWEEP = "SR_SWEEP_ID"
"""Environment variable that all jobs of one sweep share."""
_FAILURE, _RUN = "failure.json", "run.json"
_PAUSE_S = 0.5


@contextmanager
def training_lock(folder: Path, run: Path) -> Iterator[None]:
    """Hold the training of a key alone; wait while another process has it, and say which one.

    A training that fails inside marks the key with its sweep, so that the other jobs of the sweep do not try it again.

    Args:
        folder: of the key.
        run: the run folder that trains.

    Raises:
        ValueError: the same training failed in this sweep already; with its error.
    """
    with claim_when_free(folder, "training", folder / _RUN):
        mark, sweep = folder / _FAILURE, os.environ.get(SWEEP)
        if mark.is_file() and sweep and (before := read_json(mark))["sweep"] == sweep:
            raise ValueError(f"{before['error']} (the same training failed in {before['run']}, in this sweep)")
        mark.unlink(missing_ok=True)
        write_json(folder / _RUN, {"run": str(run)})
        try:
            yield
        except Exception as error:
            write_json(mark, {"sweep": sweep, "run": str(run), "error": str(error)})
            raise


@contextmanager
def claim_when_free(folder: Path, what: str, running: Path | None = None) -> Iterator[None]:
    """Hold a folder alone; wait while another process has it, and say which one.

    Args:
        folder: the folder.
        what: the other process does, such as "training".
        running: file in which it says for which run.
    """
    waiting = False
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(claim(folder))
                break
            except BlockingIOError as error:
                if not waiting:
                    who = str(error).partition(" is being written by ")[2].partition(";")[0]
                    where = f" for {read_json(running)['run']}" if running and running.is_file() else ""
                    print(f"the same {what} is done by {who}{where}: this run waits for it", flush=True)
                waiting = True
                time.sleep(_PAUSE_S)
        yield
