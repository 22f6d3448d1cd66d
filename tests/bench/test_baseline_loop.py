"""The bar does the same arithmetic as the task, on the same batches."""

import pytest
import torch

from sr.bench.baseline_loop import POOL_BYTES, pool_size
from sr.bench.loops import image_data_of, make_baseline_loop, task_of
from sr.bench.setting import composed
from sr.bench.sr_loop import train_in_blocks

CPU = torch.device("cpu")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_baseline_loop_and_sr_run_reach_the_same_weights(small: list[str], precision: str) -> None:
    with composed([*small, f"train.precision={precision}"]) as (config, folder):
        config.train.fp32_tail, config.trainer.max_steps = 0, 20
        data, task = image_data_of(config), task_of(config)
        baseline, start = make_baseline_loop(config, data, CPU), [p.detach().clone() for p in task.net.parameters()]
        baseline.run(20)
        blocks = train_in_blocks(task, data, config, folder, during=lambda: None, every=10)
    assert len(blocks) == 2
    ours, theirs = list(task.net.parameters()), list(baseline.net.parameters())
    assert not all(torch.equal(a, b) for a, b in zip(ours, start, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_the_pool_is_larger_than_a_cache_and_fits_memory() -> None:
    assert pool_size(16, 48, 2) == 64
    assert pool_size(4096, 64, 4) == 2
    num_bytes = 32 * 3 * 96**2 * (1 + 4**2) * 4
    assert num_bytes * pool_size(32, 96, 4) <= POOL_BYTES
