"""Train as `sr.run` does, in blocks, with pauses in which other loops are measured."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import lightning
from lightning.pytorch.callbacks import Callback
from omegaconf import DictConfig

from sr.bench.interleaved import Span, Stopwatch
from sr.callbacks.throughput import Throughput
from sr.experiment import made, trainer_of

_STEP_CALLBACKS = ("throughput", "checkpoint")
"""Callbacks that run during training steps; the others run at validations or at the end of training."""


class Block(NamedTuple):
    """Times of a block of training between two pauses."""

    span: Span
    loader_wait_seconds: float


class Pause(Callback):
    """Pause training at regular intervals and call a function.

    All blocks belong to one call of `fit`: start-up is not measured, and everything between two steps is.

    Args:
        every: Iterations between two pauses.
        during: Function that is called in a pause.
    """

    def __init__(self, *, every: int, during: Callable[[], object]) -> None:
        self.every, self.during = every, during
        self.blocks: list[Block] = []

    def on_train_start(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Start the first block."""
        self._begin(trainer, task)

    def on_train_batch_end(self, trainer: lightning.Trainer, task: lightning.LightningModule, *_: Any) -> None:
        """End the block after `every` iterations, pause, and start the next block."""
        if trainer.global_step - self._step < self.every:
            return
        clock = _clock(trainer)
        self.blocks.append(Block(self._watch.read(), clock.totals["loader_wait_seconds"] - self._waited))
        self.during()
        clock.on_validation_end(trainer, task)  # as for a validation, a pause is not training time
        self._begin(trainer, task)

    def _begin(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        self._step, self._waited = trainer.global_step, _clock(trainer).totals["loader_wait_seconds"]
        self._watch = Stopwatch(task.device)


def train_in_blocks(
    task: lightning.LightningModule,
    data: lightning.LightningDataModule,
    config: DictConfig,
    folder: Path,
    *,
    during: Callable[[], object],
    every: int,
) -> list[Block]:
    """Train with the trainer, logger, throughput callback and checkpoints of a config, without validations.

    Args:
        task: Task of `experiment.build`.
        data: Data module of `experiment.build`.
        config: The composed config; `trainer.max_steps` is the number of iterations.
        folder: The run folder.
        during: Function that is called in a pause.
        every: Iterations of a block, a multiple of the chunk.

    Returns:
        The blocks; the first one includes the warm-up.
    """
    pause = Pause(every=every, during=during)
    callbacks = [made(config.callbacks[name]) for name in _STEP_CALLBACKS]
    logger = made(config.logger) if config.logger else False
    trainer = trainer_of(config, folder, logger, [*callbacks, pause], limit_val_batches=0)
    trainer.fit(task, datamodule=data)
    return pause.blocks


def _clock(trainer: Any) -> Throughput:
    return next(callback for callback in trainer.callbacks if isinstance(callback, Throughput))
