"""Benchmark of training: `sr.run` against a plain PyTorch loop and, if installed, BasicSR."""

import math
import statistics
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any, NamedTuple

from sr.bench.interleaved import Span, neighbours_ratio
from sr.bench.loops import image_data_of, iterations_in, other_loops, task_of, timed
from sr.bench.measurement import Measurement, format_machine
from sr.bench.setting import composed, describe_setting, format_setting
from sr.bench.sr_loop import train_in_blocks
from sr.devices.accelerator import training_device
from sr.report.table import Column, Table

_MAX_ITERATIONS = 10**7
"""Length of the schedules of the other loops; larger than any benchmark."""
_TARGET = "target: 0.9 of the plain loop (task=gan: 0.95), 10 times BasicSR on sub-images, loader wait below 3 %"
_COLUMNS = (
    Column("loop", "loop"),
    Column("iterations_per_second", "it/s", ".2f"),
    Column("lowest_per_second", "it/s lowest", ".2f"),
    Column("highest_per_second", "it/s highest", ".2f"),
    Column("cpu_ms", "CPU ms/it", ".2f"),
    Column("sr_run_to_this", "sr.run : this", ".3f"),
    Column("sr_run_to_this_lowest", "lowest", ".3f"),
    Column("sr_run_to_this_highest", "highest", ".3f"),
    Column("sr_run_to_this_cpu", "by CPU time", ".3f"),
    Column("loader_wait_share", "loader wait", ".1%"),
)


class Trained(NamedTuple):
    """Measured blocks of one loop."""

    loop: str
    iterations: int
    blocks: list[Span]

    def rates(self) -> list[float]:
        """Return the iterations per second of each block."""
        return [self.iterations / block.seconds for block in self.blocks]

    def cpu_ms(self) -> list[float]:
        """Return the processor time of an iteration in milliseconds, for each block."""
        return [1e3 * block.cpu_seconds / self.iterations for block in self.blocks]


def measure_train(
    overrides: Sequence[str], *, num_blocks: int, iterations: int | None, seconds: float, basicsr_workers: int
) -> Measurement:
    """Time training loops in short interleaved blocks.

    Args:
        overrides: Config overrides; the fp32 tail is disabled, because it has another precision.
        num_blocks: Measured blocks of each loop, at least 1, after one warm-up block.
        iterations: Iterations of a block of `sr.run` and of the plain loop, rounded up to a multiple of the chunk. None
            takes as many as last about `seconds`, which always holds for BasicSR.
        seconds: Duration of a block.
        basicsr_workers: Processes of BasicSR's loader.

    Returns:
        The measurement.

    Raises:
        ValueError: If the setting cannot be trained.
    """
    with composed(overrides) as (config, folder):
        config.train.fp32_tail, config.trainer.max_steps = 0, _MAX_ITERATIONS
        device, data = training_device(config.machine.accelerator), image_data_of(config)
        data.prepare_data()
        others, notes = other_loops(config, data, folder, device=device, basicsr_workers=basicsr_workers)
        lengths = [iterations_in(loop, seconds, device) for loop in others]
        chunk = config.train.chunk
        every = lengths[0] = math.ceil((iterations or lengths[0]) / chunk) * chunk
        config.trainer.max_steps = every * (num_blocks + 1)
        spans: list[list[Span]] = []

        def run_others() -> None:
            spans.append([timed(loop, length, device) for loop, length in zip(others, lengths, strict=True)])

        with redirect_stdout(sys.stderr):  # the progress bar: standard output is for the table
            blocks = train_in_blocks(task_of(config), data, config, folder, during=run_others, every=every)
        setting = {
            **describe_setting(config),
            "num_blocks": num_blocks,
            "iterations_per_block": every,
            "device": str(device),
        }
    counted = blocks[1:]
    trained = [Trained("sr.run", every, [block.span for block in counted])]
    for loop, length, theirs in zip(others, lengths, zip(*spans[1:], strict=True), strict=True):
        trained.append(Trained(loop.name, length, list(theirs)))
    waited = sum(block.loader_wait_seconds for block in counted) / sum(block.span.seconds for block in counted)
    return _measurement(setting, trained, waited, notes)


def _measurement(setting: dict[str, Any], trained: list[Trained], waited: float, notes: list[str]) -> Measurement:
    sr_run, *others = trained
    rows = [_row(sr_run) | {"loader_wait_share": waited}, *(_row(each) | _compared(sr_run, each) for each in others)]
    blocks = {each.loop: {"iterations_per_second": each.rates(), "cpu_ms": each.cpu_ms()} for each in trained}
    notes = [*notes, _TARGET, format_setting(setting), format_machine()]
    table = Table("training, interleaved, medians of the blocks", _COLUMNS, rows, notes)
    return Measurement(setting=setting, figures={"loops": rows, "blocks": blocks}, tables=[table])


def _row(trained: Trained) -> dict[str, Any]:
    rates = trained.rates()
    return {
        "loop": trained.loop,
        "iterations_per_second": statistics.median(rates),
        "lowest_per_second": min(rates),
        "highest_per_second": max(rates),
        "cpu_ms": statistics.median(trained.cpu_ms()),
    }


def _compared(sr_run: Trained, other: Trained) -> dict[str, float]:
    """Return the speed of `sr.run` relative to another loop, from ratios of consecutive blocks."""
    ratios = [a / b for a, b in zip(sr_run.rates(), other.rates(), strict=True)]
    return {
        "sr_run_to_this": statistics.median(ratios),
        "sr_run_to_this_lowest": min(ratios),
        "sr_run_to_this_highest": max(ratios),
        "sr_run_to_this_cpu": neighbours_ratio(other.cpu_ms(), sr_run.cpu_ms()),
    }
