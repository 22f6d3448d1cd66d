"""The breaks in a fit: where they fall, and that their time is nobody's."""

import time

from sr.bench.loops import image_data_of, task_of
from sr.bench.setting import composed
from sr.bench.sr_loop import train_in_blocks
from sr.runs.files import read_json


def test_a_break_is_in_no_block_and_no_loader_wait(small: list[str]) -> None:
    breaks: list[float] = []

    def during() -> None:
        time.sleep(0.3)
        breaks.append(time.perf_counter())

    with composed([*small, "train.checkpoint_every=10"]) as (config, folder):
        config.trainer.max_steps = 30
        started = time.perf_counter()
        blocks = train_in_blocks(task_of(config), image_data_of(config), config, folder, during=during, every=10)
        whole = time.perf_counter() - started
        totals = read_json(folder / "training.json")
        assert (folder / "checkpoints" / "last.ckpt").is_file()
        assert list((folder / "logs").glob("*/metrics.csv"))
    assert len(blocks) == len(breaks) == 3
    assert totals["iterations"] == 30
    assert sum(block.span.seconds for block in blocks) < whole - 0.9
    assert totals["seconds"] < whole - 0.9
    assert all(0 <= block.loader_wait_seconds < block.span.seconds for block in blocks)
