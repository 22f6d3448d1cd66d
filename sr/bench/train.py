"""Training as `sr.run` does it, beside the bare PyTorch loop and, where it is installed, BasicSR."""

import math
import statistics
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any, NamedTuple

import torch
from omegaconf import DictConfig

from sr import experiment
from sr.bench.interleaved import Span, neighbours_ratio
from sr.bench.loops import data_of, iterations_in, other_loops, task_of, timed
from sr.bench.measurement import Measurement, machine_note
from sr.bench.setting import composed, described, in_words
from sr.bench.sr_loop import train_in_blocks
from sr.report.table import Column, Table

ENDLESS = 10**7
"""Iterations that the schedules of the other loops have room for."""
TO_REACH = "to reach: 0.9 of the bare loop (task=gan: 0.95), 10 times BasicSR on sub-images, loader wait under 3 %"
COLUMNS = (
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
    """The counted blocks of one loop."""

    loop: str
    iterations: int
    blocks: list[Span]

    def rates(self) -> list[float]:
        """Iterations a second, block by block."""
        return [self.iterations / block.seconds for block in self.blocks]

    def cpu_ms(self) -> list[float]:
        """Milliseconds of an iteration on all processors together, block by block."""
        return [1e3 * block.cpu_seconds / self.iterations for block in self.blocks]


def measure(
    overrides: Sequence[str], *, num_blocks: int, iterations: int | None, seconds: float, basicsr_workers: int
) -> Measurement:
    """Train in short blocks that take turns, each loop going on where it was.

    Args:
        overrides: Of the config; the fp32 tail is left out, as it is another precision.
        num_blocks: Counted blocks of each loop, at least 1; one more before them warms up.
        iterations: Of a block of `sr.run` and of the bare loop, rounded up to whole chunks; None for as many as last
            about `seconds`. BasicSR's blocks always last about that long.
        seconds: Of a block.
        basicsr_workers: Processes of BasicSR's loader.

    Raises:
        ValueError: A setting that cannot be trained.
    """
    with composed(overrides) as (config, folder):
        config.train.fp32_tail, config.trainer.max_steps = 0, ENDLESS
        device, data = training_device(config), data_of(config)
        data.prepare_data()
        others, notes = other_loops(config, data, folder, device=device, basicsr_workers=basicsr_workers)
        lengths = [iterations_in(loop, seconds, device) for loop in others]
        chunk = config.train.chunk
        every = lengths[0] = math.ceil((iterations or lengths[0]) / chunk) * chunk
        config.trainer.max_steps = every * (num_blocks + 1)
        spans: list[list[Span]] = []

        def others_turn() -> None:
            spans.append([timed(loop, length, device) for loop, length in zip(others, lengths, strict=True)])

        with redirect_stdout(sys.stderr):  # the progress bar: standard output is for the table
            blocks = train_in_blocks(task_of(config), data, config, folder, during=others_turn, every=every)
        setting = {**described(config), "num_blocks": num_blocks, "iterations_per_block": every, "device": str(device)}
    counted = blocks[1:]
    trained = [Trained("sr.run", every, [block.span for block in counted])]
    for loop, length, theirs in zip(others, lengths, zip(*spans[1:], strict=True), strict=True):
        trained.append(Trained(loop.name, length, list(theirs)))
    waited = sum(block.loader_wait_seconds for block in counted) / sum(block.span.seconds for block in counted)
    return _measurement(setting, trained, waited, notes)


def training_device(config: DictConfig) -> torch.device:
    """Where the config's trainer would train."""
    return experiment.made(config.trainer)(logger=False).strategy.root_device


def _measurement(setting: dict[str, Any], trained: list[Trained], waited: float, notes: list[str]) -> Measurement:
    ours = trained[0]
    rows = [
        _row(each) | (_compared(ours, each) if each is not ours else {"loader_wait_share": waited}) for each in trained
    ]
    blocks = {each.loop: {"iterations_per_second": each.rates(), "cpu_ms": each.cpu_ms()} for each in trained}
    notes = [*notes, TO_REACH, in_words(setting), machine_note()]
    table = Table("training in turns, medians of the blocks", COLUMNS, rows, notes)
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


def _compared(ours: Trained, other: Trained) -> dict[str, float]:
    """How many times as fast ours is: each block beside the one that followed it."""
    ratios = [a / b for a, b in zip(ours.rates(), other.rates(), strict=True)]
    return {
        "sr_run_to_this": statistics.median(ratios),
        "sr_run_to_this_lowest": min(ratios),
        "sr_run_to_this_highest": max(ratios),
        "sr_run_to_this_cpu": neighbours_ratio(other.cpu_ms(), ours.cpu_ms()),
    }
