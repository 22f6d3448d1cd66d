"""Which process of a training on several devices this one is, as torchrun or srun started it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""Variables that torchrun sets in each process that it starts."""
LAUNCHED = "SR_LAUNCHED"
"""Variable that `sr.devices.elastic` sets for the processes of `machine.devices`; it then reports how they ended."""


@dataclass(frozen=True, kw_only=True)
class World:
    """Place of a process among those that train one net together.

    Args:
        rank: Number of this process, from 0; process 0 leads.
        size: Number of processes.
        local_rank: Number of this process on its machine, which is the number of its device there.
        local_size: Number of processes on this machine.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1


def current_world(environ: Mapping[str, str] = os.environ) -> World:
    """Return the place of this process; a process alone if neither torchrun nor srun started several.

    A SLURM job's number of tasks says nothing: only a step of `srun` starts the command once per task.

    Args:
        environ: Environment variables.

    >>> current_world({"SLURM_NTASKS": "4"}).size
    1
    """
    if all(name in environ for name in TORCHRUN):
        rank, size, local_rank, local_size = (int(environ[name]) for name in TORCHRUN[:4])
        return World(rank=rank, size=size, local_rank=local_rank, local_size=local_size)
    size = int(environ.get("SLURM_STEP_NUM_TASKS", 1))
    if size > 1 and "SLURM_PROCID" in environ:
        nodes = int(environ.get("SLURM_STEP_NUM_NODES", 1))
        rank, local_rank = int(environ["SLURM_PROCID"]), int(environ["SLURM_LOCALID"])
        return World(rank=rank, size=size, local_rank=local_rank, local_size=size // nodes)
    return World()


def address(environ: Mapping[str, str] = os.environ) -> tuple[str, int, bool]:
    """Return host and port at which the processes meet, and whether process 0 has to listen there itself.

    Args:
        environ: Environment variables of torchrun or of a step of `srun`.

    >>> address({"SLURM_STEP_NODELIST": "node[07-09]", "SLURM_JOB_ID": "31", "SLURM_STEP_ID": "2"})
    ('node07', 20033, True)
    """
    if "MASTER_ADDR" in environ:
        agent = environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
        return environ["MASTER_ADDR"], int(environ["MASTER_PORT"]), not agent
    from lightning.fabric.plugins.environments import SLURMEnvironment

    host = SLURMEnvironment.resolve_root_node_address(environ["SLURM_STEP_NODELIST"])
    return host, 20_000 + (int(environ["SLURM_JOB_ID"]) + int(environ["SLURM_STEP_ID"])) % 20_000, True


def launched() -> bool:
    """Return whether `machine.devices` started this process; the process that did so reports how it ended."""
    return LAUNCHED in os.environ
