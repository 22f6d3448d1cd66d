"""Benchmark of training on degraded images: `sr.run` on them and on clean ones, in turn."""

import statistics
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

from sr.bench.interleaved import neighbours_ratio
from sr.bench.loops import image_data_of, task_of
from sr.bench.measurement import Measurement, format_machine
from sr.bench.setting import composed, describe_setting, format_setting
from sr.bench.sr_loop import Block, train_in_blocks
from sr.report.table import Column, Table

CLEAN, DEGRADED = "clean", "degraded"
_TARGET = "target: 0.85 of the clean rate, loader wait below 10 %"
_COLUMNS = (
    Column("images", "images"),
    Column("iterations_per_second", "it/s", ".2f"),
    Column("cpu_ms", "CPU ms/it", ".2f"),
    Column("to_clean", "degraded : clean", ".3f"),
    Column("to_clean_cpu", "by CPU time", ".3f"),
    Column("loader_wait_share", "loader wait", ".1%"),
)


def measure_degraded(overrides: Sequence[str], *, num_blocks: int, iterations: int) -> Measurement:
    """Train on degraded and on clean images in turn; degrading the images once is not timed.

    Args:
        overrides: Config overrides with a degradation, such as data/degradation=codec.
        num_blocks: Measured trainings of each kind; each has one block of warm-up and one that counts.
        iterations: Iterations of a block, a multiple of the chunk.

    Returns:
        The measurement.

    Raises:
        ValueError: If nothing is degraded, or the setting cannot be trained.
    """
    blocks: dict[str, list[Block]] = {DEGRADED: [], CLEAN: []}
    setting: dict[str, Any] = {}
    for _ in range(num_blocks):
        for kind, changes in ((DEGRADED, []), (CLEAN, ["data.degradation.chain=[]"])):
            with composed([*overrides, *changes]) as (config, folder), redirect_stdout(sys.stderr):
                if kind == DEGRADED and not config.data.degradation.chain:
                    raise ValueError("nothing is degraded; add a degradation, such as data/degradation=codec")
                config.train.fp32_tail, config.trainer.max_steps = 0, 2 * iterations
                data = image_data_of(config)
                data.prepare_data()
                trained = train_in_blocks(task_of(config), data, config, folder, during=lambda: None, every=iterations)
                blocks[kind].append(trained[-1])
                if kind == DEGRADED:
                    setting = describe_setting(config) | {"chain": "+".join(config.data.degradation.chain)}
    setting |= {"num_blocks": num_blocks, "iterations_per_block": iterations}
    rows = rows_of(blocks, iterations)
    notes = [_TARGET, format_setting(setting), format_machine()]
    table = Table("training on degraded images, interleaved, medians", _COLUMNS, rows, notes)
    return Measurement(setting=setting, figures={"images": rows}, tables=[table])


def rows_of(blocks: dict[str, list[Block]], iterations: int) -> list[dict[str, Any]]:
    """Return the rows of the table.

    Args:
        blocks: The counted blocks of degraded and of clean images, measured in turn.
        iterations: Iterations of a block.
    """
    rates = {kind: [iterations / each.span.seconds for each in found] for kind, found in blocks.items()}
    cpu_ms = {kind: [1e3 * each.span.cpu_seconds / iterations for each in found] for kind, found in blocks.items()}
    rows = [
        {
            "images": kind,
            "iterations_per_second": statistics.median(rates[kind]),
            "cpu_ms": statistics.median(cpu_ms[kind]),
            "loader_wait_share": sum(each.loader_wait_seconds for each in found)
            / sum(each.span.seconds for each in found),
        }
        for kind, found in blocks.items()
    ]
    rows[0]["to_clean"] = neighbours_ratio(rates[DEGRADED], rates[CLEAN])
    rows[0]["to_clean_cpu"] = neighbours_ratio(cpu_ms[CLEAN], cpu_ms[DEGRADED])
    return rows
