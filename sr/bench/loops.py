"""Training loops that `sr.run` is compared with."""

from itertools import islice
from pathlib import Path
from typing import Protocol

import torch
from omegaconf import DictConfig

from sr import experiment
from sr.bench.baseline_gan_loop import BaselineGanLoop
from sr.bench.baseline_loop import BaselineLoop, pool_size
from sr.bench.basicsr import BasicSRLoop, why_no_basicsr
from sr.bench.captured_loop import CapturedLoop
from sr.bench.interleaved import Span, Stopwatch
from sr.bench.setting import describe_setting
from sr.data.module import ImageData
from sr.tasks.gan import Gan
from sr.tasks.regression import Regression

_TRIAL_ITERATIONS = 3
"""Iterations that are timed to choose the number of iterations of a block."""


class Loop(Protocol):
    """Training loop that can pause after any iteration."""

    name: str

    def run(self, iterations: int) -> None:
        """Train for a number of further iterations."""


def other_loops(
    config: DictConfig, data: ImageData, folder: Path, *, device: torch.device, basicsr_workers: int
) -> tuple[list[Loop], list[str]]:
    """Make the baseline loop and, if possible, BasicSR's loop (pixel loss only), each with its own net.

    Args:
        config: The composed config.
        data: Its data module.
        folder: Folder for BasicSR's image files.
        device: Device for training.
        basicsr_workers: Processes of BasicSR's loader.

    Returns:
        The loops, the baseline first, and notes with the reason for each loop that is left out.
    """
    baseline = make_baseline_loop(config, data, device)
    if isinstance(baseline, BaselineGanLoop):
        return [baseline], []
    if device.type == "cuda":
        return _with_captured(config, data, baseline, device)
    if missing := why_no_basicsr():
        return [baseline], [missing]
    net, setting = task_of(config).net, describe_setting(config)
    try:
        basicsr = BasicSRLoop(
            net, data.train_pairs, folder / "sub_images", setting, num_workers=basicsr_workers, device=device
        )
    except ValueError as error:
        return [baseline], [f"BasicSR was left out: {error}"]
    return [baseline, basicsr], []


def _with_captured(
    config: DictConfig, data: ImageData, baseline: BaselineLoop, device: torch.device
) -> tuple[list[Loop], list[str]]:
    """Return the baseline and, if its optimizer can be recorded, the same loop in one CUDA graph."""
    batches = list(islice(data.stream(0), pool_size(data.batch_size, data.lr_patch, data.scale)))
    try:
        loop = CapturedLoop(task_of(config), batches, bf16=config.train.precision == "bf16", device=device)
    except (ValueError, RuntimeError) as error:
        return [baseline], [f"the loop in one CUDA graph was left out: {error}"]
    return [baseline, loop], []


def make_baseline_loop(config: DictConfig, data: ImageData, device: torch.device) -> BaselineLoop | BaselineGanLoop:
    """Make the baseline loop of a config, with the first batches of its data stream.

    Args:
        config: The composed config.
        data: Its data module.
        device: Device for training.
    """
    count = pool_size(data.batch_size, data.lr_patch, data.scale)
    batches = list(islice(data.stream(0), count))
    task, settings = task_of(config), {"bf16": config.train.precision == "bf16", "device": device}
    return (
        BaselineGanLoop(task, batches, **settings) if isinstance(task, Gan) else BaselineLoop(task, batches, **settings)
    )


def task_of(config: DictConfig) -> Regression:
    """Make the task of a config, with a new net.

    Args:
        config: The composed config.

    Raises:
        ValueError: If the task is neither regression nor gan.
    """
    task = experiment.build(config)[0]
    if not isinstance(task, Regression):
        raise ValueError(f"the benchmark supports task=regression and task=gan, got {type(task).__name__}")
    return task


def image_data_of(config: DictConfig) -> ImageData:
    """Make the data module of a config; no image is decoded yet.

    Args:
        config: The composed config.

    Raises:
        ValueError: If it is not an `ImageData`.
    """
    data = experiment.build(config)[1]
    if not isinstance(data, ImageData):
        raise ValueError(f"the benchmark supports only data of sr.data.module.ImageData, got {type(data).__name__}")
    return data


def timed(loop: Loop, iterations: int, device: torch.device) -> Span:
    """Train for a number of iterations and return the time.

    Args:
        loop: The training loop.
        iterations: Number of iterations.
        device: Device of the loop.
    """
    watch = Stopwatch(device)
    loop.run(iterations)
    return watch.read()


def iterations_in(loop: Loop, seconds: float, device: torch.device) -> int:
    """Return the number of iterations, at least 1, that take about the given time.

    Args:
        loop: The training loop.
        seconds: Wall time.
        device: Device of the loop.
    """
    loop.run(_TRIAL_ITERATIONS)  # warm-up
    return max(1, round(seconds * _TRIAL_ITERATIONS / timed(loop, _TRIAL_ITERATIONS, device).seconds))
