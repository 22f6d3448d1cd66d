"""The bar of adversarial training does the same arithmetic as the task, on the same batches."""

import torch

from sr.bench.baseline_gan_loop import BaselineGanLoop
from sr.bench.loops import image_data_of, make_baseline_loop, task_of
from sr.bench.setting import composed
from sr.bench.sr_loop import train_in_blocks
from sr.bench.train import measure_train

GAN = ["task=gan", "task/perceptual=none", "task.discriminator.f=4", "task.discriminator.num_halvings=2"]
GAN += ["task.grid_weight=5", "task.perceptual_shifts=4"]


def test_the_baseline_loop_and_sr_run_reach_the_same_weights(small: list[str]) -> None:
    with composed([*small, *GAN, "train.precision=fp32"]) as (config, folder):
        config.trainer.max_steps = 10
        data, task = image_data_of(config), task_of(config)
        baseline = make_baseline_loop(config, data, torch.device("cpu"))
        assert isinstance(baseline, BaselineGanLoop)
        baseline.run(10)
        train_in_blocks(task, data, config, folder, during=lambda: None, every=10)
    for part in ("net", "discriminator"):
        ours, theirs = (list(getattr(each, part).parameters()) for each in (task, baseline.task))
        pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if a.numel() > 1]  # a single bias: rounding
        assert all(torch.allclose(a, b, rtol=0, atol=1e-6) for a, b in pairs), part


def test_both_loops_are_measured(small: list[str]) -> None:
    found = measure_train([*small, *GAN], num_blocks=1, iterations=5, seconds=0.01, basicsr_workers=0)
    assert [row["loop"] for row in found.figures["loops"]] == ["sr.run", "plain PyTorch loop"]
