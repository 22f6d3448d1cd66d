"""Start a command once per device with torchrun's elastic launcher, and tell how it ended in one message."""

import logging
import os
import signal
import sys
import tempfile
import uuid
from collections.abc import Sequence
from typing import Any

from sr.devices.world import LAUNCHED

CHECKPOINT_GRACE_S = 20
"""Seconds that a process has for its last checkpoint before it is killed."""


def launch(arguments: Sequence[str], count: int, *, threads: int | None, module: str = "sr.run") -> int:
    """Run a module of the package in several processes of this machine; they end together.

    Args:
        arguments: Of the command line.
        count: Number of processes.
        threads: CPU threads of each; None leaves them to torch.
        module: What `python -m` runs.

    Returns:
        The exit status: 0, 1 if a process failed, 128 + signal if this process was told to stop.
    """
    from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    logging.getLogger("torch.distributed").setLevel(logging.CRITICAL + 1)  # its report of a failure is 30 lines
    before = {name: os.environ.get(name) for name in (LAUNCHED, "OMP_NUM_THREADS")}
    os.environ |= {LAUNCHED: "1"} | ({} if threads is None else {"OMP_NUM_THREADS": str(threads)})
    with tempfile.TemporaryDirectory(prefix="sr-launch-") as folder:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=count,
            run_id=uuid.uuid4().hex,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            local_addr="localhost",
            max_restarts=0,
            logs_specs=DefaultLogsSpecs(log_dir=folder),
            shutdown_timeout=CHECKPOINT_GRACE_S,
        )
        try:
            elastic_launch(config, sys.executable)("-m", module, *arguments)
        except ChildFailedError as error:
            if message := _message(error.failures):
                print(f"\nError: {message}", file=sys.stderr)  # a progress bar may be open
            return 1
        except SignalException as error:
            return 128 + int(error.sigval)
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})
    return 0


def _message(failures: dict[int, Any]) -> str | None:
    """Return one line for the first process that a signal ended; None if each told itself what was wrong.

    The others end by SIGTERM then, or because they lost that process.
    """
    ended = [(rank, each) for rank, each in failures.items() if each.exitcode < 0]
    killed = [(rank, each) for rank, each in ended if each.exitcode != -signal.SIGTERM]
    if not killed and len(ended) == len(failures):
        killed = ended
    if not killed:
        return None
    rank, first = min(killed, key=lambda item: item[1].timestamp)
    name = signal.Signals(-first.exitcode).name
    return (
        f"the process of device {rank} (process {first.pid}) was ended by {name}, and the others with it; the same "
        "command goes on from the last checkpoint"
    )
