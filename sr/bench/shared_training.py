"""Worker of `sr.bench scale`: a process that trains with the others in blocks and writes the times."""

import json
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from sr.bench.loops import image_data_of, task_of
from sr.bench.setting import composed
from sr.bench.sr_loop import train_in_blocks
from sr.devices.collectives import average_gradients, send_state
from sr.devices.followers import open_store, process_group
from sr.devices.synced_batch_norm import synced_batch_norms
from sr.devices.world import current_world
from sr.tasks.regression import Regression

_EXCHANGES = 50


def measure(request: dict[str, Any]) -> list[dict[str, float]]:
    """Train with each batch size of a request.

    Args:
        request: `overrides`, `batch_sizes` over all processes, and `iterations` and `num_blocks` of each.

    Returns:
        For each batch size seconds, processor seconds and loader wait of an iteration, and of an exchange of gradients.
    """
    world = current_world()
    with process_group(world, open_store(world), 0):
        return [_measured(request, size) for size in request["batch_sizes"]]


def _measured(request: dict[str, Any], batch_size: int) -> dict[str, float]:
    iterations, num_blocks = request["iterations"], request["num_blocks"]
    with composed([*request["overrides"], f"data.batch_size={batch_size}"]) as (config, folder):
        chunk = config.train.chunk
        every = max(1, iterations // chunk) * chunk
        config.train.fp32_tail, config.trainer.max_steps = 0, every * (num_blocks + 1)
        task, data = task_of(config), image_data_of(config)
        data.prepare_data()
        with synced_batch_norms([task]), redirect_stdout(sys.stderr):
            send_state([task])
            blocks = train_in_blocks(task, data, config, folder, during=distributed.barrier, every=every)[1:]
        exchange = _exchange_seconds(task)
    # The fastest block: other load of the machine only adds to it.
    best = min(blocks, key=lambda block: block.span.seconds)
    parts = {"seconds": best.span.seconds, "cpu_seconds": best.span.cpu_seconds, "wait": best.loader_wait_seconds}
    return {name: value / every for name, value in parts.items()} | {"exchange": exchange}


def _exchange_seconds(task: Regression) -> float:
    """Return the time of one exchange of all gradients of the net, the fastest of 50."""
    parameters = list(task.net.parameters())
    for parameter in parameters:
        parameter.grad = torch.zeros_like(parameter)
    times = []
    for _ in range(_EXCHANGES):
        distributed.barrier()
        started = time.perf_counter()
        average_gradients(parameters)
        if parameters[0].is_cuda:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    """Read the request of the file that the command line names; process 0 writes the answer beside it."""
    path = Path(sys.argv[1])
    answer = measure(json.loads(path.read_text(encoding="utf-8")))
    if current_world().rank == 0:
        path.with_suffix(".answer").write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
