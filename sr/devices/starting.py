"""Whether a job starts processes for several devices, with which command, and how it leads them."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from sr.config.composition import in_multirun, overrides
from sr.config.validation import check_settings
from sr.devices.world import current_world
from sr.runs.files import read_json

if TYPE_CHECKING:
    from sr.devices.followers import Leader

_MODE, _FOLDER = "hydra.mode=", "hydra.run.dir="


@contextmanager
def leading() -> Iterator[None]:
    """Let the other processes of a training leave at the end of the block, however it ends."""
    if current_world().size == 1:
        yield
        return
    from sr.devices.followers import leader

    crew = leader()
    try:
        yield
    finally:
        crew.release()


def devices_to_start(config: DictConfig) -> int:
    """Return the number of processes to start for `machine.devices`; 0 where this process trains itself.

    Raises:
        ValueError: The machine has fewer devices, or the batch does not divide.
    """
    check_settings(config)
    world, wanted = current_world(), config.machine.devices
    if world.size > 1 or wanted in ("auto", 1):
        return 0
    from sr.devices.accelerator import requested_devices

    shared = {"batch_size": config.data.batch_size, "accelerator": config.machine.accelerator}
    return requested_devices(wanted, **shared, world=world)


def run_on_devices(config: DictConfig, folder: Path, count: int, failed: Path) -> str | None:
    """Run this job in several processes.

    Args:
        config: The composed config.
        folder: Of the run.
        count: Number of processes.
        failed: File in which an error is kept.

    Returns:
        In a sweep, what went wrong; None where all went well.

    Raises:
        SystemExit: The processes failed, or were told to stop.
    """
    from sr.devices.elastic import launch

    status = launch(_arguments(folder), count, threads=_threads(config, count))
    if status > 1 or (status and not in_multirun()):
        sys.exit(status)
    if status:
        return str(read_json(failed)["error"]) if failed.is_file() else "the run ended early; see above"
    return None


def led(folder: Path, config: Mapping[str, Any]) -> "Leader":
    """Tell the other processes of a training which run this is, and return what calls them.

    Args:
        folder: Of the run.
        config: Plain containers, with the net that filter pruning left.
    """
    named = overrides() if HydraConfig.initialized() else []  # classes of the command line may be built
    from sr.devices.followers import leader

    found = leader()
    found.about = {"folder": str(folder), "config": config, "overrides": named}
    return found


def _arguments(folder: Path) -> list[str]:
    """Return the command line of this job alone, also where it is one of a sweep."""
    if not in_multirun():
        return sys.argv[1:]
    kept = [each for each in HydraConfig.get().overrides.hydra if not each.startswith((_MODE, _FOLDER, "hydra.sweep"))]
    quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    return [*overrides(), *kept, f"{_MODE}RUN", f'{_FOLDER}"{quoted}"']


def _threads(config: DictConfig, count: int) -> int | None:
    """Return the CPU threads of each process: its share of the cores, unless something else says."""
    from sr.devices.accelerator import num_devices, training_device

    if config.machine.threads or "OMP_NUM_THREADS" in os.environ or training_device("auto").type != "cpu":
        return None
    return max(1, num_devices("cpu") // count)
