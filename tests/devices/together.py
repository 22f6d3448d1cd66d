"""Run a function in several processes that train together, as torchrun starts them; results come back as a file."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        return listener.getsockname()[1]


def run_together(target: str, folder: Path, *arguments: object, processes: int = 2) -> list[dict]:
    """Call `target` ("module:function") in each process with its arguments; returns what each returned."""
    port = free_port()
    started = []
    for rank in range(processes):
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": processes, "LOCAL_WORLD_SIZE": processes}
        place |= {"MASTER_ADDR": "localhost", "MASTER_PORT": port, "OMP_NUM_THREADS": 1}
        place |= {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        environment = {**os.environ, **{key: str(value) for key, value in place.items()}}
        command = [sys.executable, "-m", __name__, target, str(folder / f"{rank}.pt"), *map(str, arguments)]
        pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
        started.append(subprocess.Popen(command, env=environment, **pipes))
    outputs = [process.communicate(timeout=300)[0] for process in started]
    for process, output in zip(started, outputs, strict=True):
        assert process.returncode == 0, output
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(processes)]


def _main(target: str, path: str, *arguments: str) -> None:
    import importlib

    from sr.devices.followers import open_store, process_group
    from sr.devices.world import current_world

    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    world = current_world()
    with process_group(world, open_store(world), 0):
        torch.save(function(*arguments), path)


if __name__ == "__main__":
    _main(*sys.argv[1:])
