"""Benchmark of one net on several devices: steps a second and efficiency, and what the rest is spent on."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sr.bench.measurement import Measurement, format_machine
from sr.bench.setting import composed, describe_setting, format_setting
from sr.devices.accelerator import num_devices, requested_devices, training_device
from sr.devices.elastic import launch
from sr.devices.world import World
from sr.report.table import Column, Table

GOOD = 0.9
"""Efficiency from which on no reason is asked for."""
_COLUMNS = (
    Column("mode", "batch"),
    Column("devices", "devices"),
    Column("batch_size", "all patches"),
    Column("steps_per_second", "steps/s", ".2f"),
    Column("efficiency", "efficiency", ".2f"),
    Column("cpu_ms", "CPU ms/step of a process", ".2f"),
    Column("exchange_ms", "exchange ms", ".3f"),
    Column("reason", "where the rest goes"),
)
_NOTES = (
    "batch fixed: all devices share data.batch_size, efficiency = steps/s / (n * steps/s of one)",
    "patches of a device fixed: each takes data.batch_size, efficiency = steps/s / steps/s of one",
    "fastest of the blocks; on a CPU a device is a process with an equal share of the cores",
)


def measure_scale(overrides: Sequence[str], *, devices: str, iterations: int, num_blocks: int) -> Measurement:
    """Time the training of one net on several numbers of devices.

    Args:
        overrides: Config overrides.
        devices: Numbers of devices, separated by commas; 1 is measured in any case.
        iterations: Iterations of a block, rounded down to a multiple of the chunk.
        num_blocks: Measured blocks, after one warm-up block.

    Returns:
        The measurement.

    Raises:
        ValueError: If a number is not a whole number, is more than there are devices, or does not divide the batch.
    """
    counts = [int(text) for text in devices.split(",") if text.strip().isdecimal() and int(text)]
    if not counts or len(counts) != len(devices.split(",")):
        raise ValueError(f"--devices must be whole numbers of at least 1, separated by commas, got {devices!r}")
    counts = sorted({1, *counts})
    with composed(overrides) as (config, _):
        batch_size, accelerator = config.data.batch_size, config.machine.accelerator
        setting = describe_setting(config) | {"iterations": iterations, "num_blocks": num_blocks}
    for count in counts:
        requested_devices(count, batch_size=batch_size, accelerator=accelerator, world=World())
    on_cpu = training_device(accelerator, World()).type == "cpu"
    threads = max(1, num_devices(accelerator) // counts[-1]) if on_cpu else None
    request = {"overrides": list(overrides), "iterations": iterations, "num_blocks": num_blocks}
    found: dict[tuple[int, int], dict[str, float]] = {}
    for count in counts:
        sizes = [batch_size // each for each in counts] if count == 1 else [batch_size, batch_size * count]
        answers = _run(request | {"batch_sizes": sizes}, count, threads)
        found |= {(count, size): answer for size, answer in zip(sizes, answers, strict=True)}
    rows = [_row(found, "fixed", count, batch_size, batch_size) for count in counts]
    rows += [_row(found, "grows", count, batch_size * count, batch_size) for count in counts[1:]]
    notes = [*_NOTES, format_setting({**setting, "threads_per_process": threads or 0}), format_machine()]
    return Measurement(
        setting=setting, figures={"scaling": rows}, tables=[Table("one net on several devices", _COLUMNS, rows, notes)]
    )


def _run(request: dict[str, Any], count: int, threads: int | None) -> list[dict[str, float]]:
    """Train in `count` processes; returns their answer."""
    with tempfile.TemporaryDirectory(prefix="sr-scale-") as folder:
        path = Path(folder) / "request.json"
        path.write_text(json.dumps(request), encoding="utf-8")
        if status := launch([str(path)], count, threads=threads, module="sr.bench.shared_training"):
            raise ValueError(f"the training on {count} devices ended with status {status}; see above")
        answer: list[dict[str, float]] = json.loads(path.with_suffix(".answer").read_text(encoding="utf-8"))
        return answer


def _row(found: dict[tuple[int, int], dict[str, float]], mode: str, count: int, size: int, one: int) -> dict[str, Any]:
    """Describe one number of devices.

    Args:
        found: Times by number of devices and batch size.
        mode: "fixed" for a fixed batch, "grows" for fixed patches of a device.
        count: Number of devices.
        size: Patches of all devices.
        one: Patches of the run on one device.
    """
    times, alone = found[count, size], found[1, one]
    efficiency = alone["seconds"] / times["seconds"] / (count if mode == "fixed" else 1)
    return {
        "mode": "batch fixed" if mode == "fixed" else "patches of a device fixed",
        "devices": count,
        "batch_size": size,
        "steps_per_second": 1 / times["seconds"],
        "efficiency": efficiency,
        "cpu_ms": 1e3 * times["cpu_seconds"],
        "exchange_ms": 1e3 * times["exchange"] if count > 1 else 0.0,
        "reason": "" if count == 1 or efficiency >= GOOD else explain(times, found[1, size // count], alone, size, one),
    }


def explain(times: dict[str, float], share: dict[str, float], alone: dict[str, float], size: int, one: int) -> str:
    """Say where the time goes that an efficiency below 0.9 lacks, in parts of a step.

    Args:
        times: Times of a step on several devices.
        share: Times of a step of one device with as many patches as each of the several has.
        alone: Times of a step of one device with the whole batch.
        size: Patches of all devices.
        one: Patches of the run on one device.

    >>> step = {"seconds": 0.010, "cpu_seconds": 0.010, "wait": 0.0, "exchange": 0.0}
    >>> two = step | {"seconds": 0.008, "cpu_seconds": 0.007, "exchange": 0.001}
    >>> explain(two, step | {"seconds": 0.006}, step, 16, 16)
    'exchange 12 %, waiting for a core or another device 12 %; a step of the share alone takes 0.60 of the whole'
    """
    seconds = times["seconds"]
    exchange = times["exchange"] / seconds
    idle = max(0.0, 1 - times["cpu_seconds"] / seconds)
    text = f"exchange {exchange:.0%}, waiting for a core or another device {idle:.0%}".replace("%", " %")
    if size == one:
        text += f"; a step of the share alone takes {share['seconds'] / alone['seconds']:.2f} of the whole"
    return text
