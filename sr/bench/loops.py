"""What `sr.run` is measured against."""

from itertools import islice
from pathlib import Path
from typing import Protocol

import torch
from omegaconf import DictConfig

from sr import experiment
from sr.bench.baseline_gan_loop import BareGanLoop
from sr.bench.baseline_loop import BareLoop, pool_size
from sr.bench.basicsr import BasicSRLoop, why_missing
from sr.bench.interleaved import Span, Stopwatch
from sr.bench.setting import described
from sr.data.module import ImageData
from sr.tasks.gan import Gan
from sr.tasks.regression import Regression

TRIED = 3
"""Iterations that tell how many a block needs."""


class Loop(Protocol):
    """A training that stops after any iteration and goes on from there."""

    name: str

    def run(self, iterations: int) -> None:
        """Train on."""


def other_loops(
    config: DictConfig, data: ImageData, folder: Path, *, device: torch.device, basicsr_workers: int
) -> tuple[list[Loop], list[str]]:
    """Make the bare loop and, where that is possible, BasicSR's (pixel loss only); each with a net of its own.

    Args:
        config: Of the training.
        data: Its images.
        folder: Where BasicSR gets them as files.
        device: Where to train.
        basicsr_workers: Processes of BasicSR's loader.

    Returns:
        The loops, the bare one first, and why another is not among them.
    """
    bare = bare_loop(config, data, device)
    if isinstance(bare, BareGanLoop):
        return [bare], []
    if missing := why_missing():
        return [bare], [missing]
    net, setting = task_of(config).net, described(config)
    try:
        theirs = BasicSRLoop(
            net, data.train_pairs, folder / "sub_images", setting, num_workers=basicsr_workers, device=device
        )
    except ValueError as error:
        return [bare], [f"BasicSR was left out: {error}"]
    return [bare, theirs], []


def bare_loop(config: DictConfig, data: ImageData, device: torch.device) -> BareLoop | BareGanLoop:
    """Make the bare loop of a config, on the first batches of its stream."""
    count = pool_size(data.batch_size, data.lr_patch, data.scale)
    batches = list(islice(data.stream(0), count))
    task, settings = task_of(config), {"bf16": config.train.precision == "bf16", "device": device}
    return BareGanLoop(task, batches, **settings) if isinstance(task, Gan) else BareLoop(task, batches, **settings)


def task_of(config: DictConfig) -> Regression:
    """Make the task of a config, with a net of its own.

    Raises:
        ValueError: Another task than regression or gan.
    """
    task = experiment.build(config)[0]
    if not isinstance(task, Regression):
        raise ValueError(f"the benchmark knows task=regression and task=gan, got {type(task).__name__}")
    return task


def data_of(config: DictConfig) -> ImageData:
    """Make the images of a config; nothing is decoded yet.

    Raises:
        ValueError: Another data module than `ImageData`.
    """
    data = experiment.build(config)[1]
    if not isinstance(data, ImageData):
        raise ValueError(f"the benchmark knows images of sr.data.module.ImageData only, got {type(data).__name__}")
    return data


def timed(loop: Loop, iterations: int, device: torch.device) -> Span:
    """Train on and tell how long it took."""
    watch = Stopwatch(device)
    loop.run(iterations)
    return watch.read()


def iterations_in(loop: Loop, seconds: float, device: torch.device) -> int:
    """How many iterations of a loop take about so many seconds, at least one."""
    loop.run(TRIED)  # warms up
    return max(1, round(seconds * TRIED / timed(loop, TRIED, device).seconds))
