"""The training of `sr.run` with breaks in it, in which others are measured."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import lightning
from lightning.pytorch.callbacks import Callback
from omegaconf import DictConfig

from sr.bench.interleaved import Span, Stopwatch
from sr.callbacks.stage import callbacks_of
from sr.callbacks.throughput import Throughput
from sr.experiment import made, trainer_of

DURING_TRAINING = ("throughput", "checkpoint")
"""The callbacks that work while the steps are taken; the others wait for a validation or for the end of training."""


class Block(NamedTuple):
    """A stretch of training between two breaks."""

    span: Span
    loader_wait_seconds: float


class Break(Callback):
    """Stop the time after every so many iterations and let something else run.

    One fit goes on from block to block, so start-up is not in the figures, and everything that `sr.run` does between
    two steps is.

    Args:
        every: Iterations between two breaks.
        during: What runs in a break.
    """

    def __init__(self, *, every: int, during: Callable[[], object]) -> None:
        self.every, self.during = every, during
        self.blocks: list[Block] = []

    def on_train_start(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Begin the first block."""
        self._begin(trainer, task)

    def on_train_batch_end(self, trainer: lightning.Trainer, task: lightning.LightningModule, *_: Any) -> None:
        """End a block that is long enough, and begin the next one after the break."""
        if trainer.global_step - self._step < self.every:
            return
        clock = _clock(trainer)
        self.blocks.append(Block(self._watch.read(), clock.totals["loader_wait_seconds"] - self._waited))
        self.during()
        clock.on_validation_end(trainer, task)  # like a validation, a break is not training time
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
    """Train with the config's own trainer, logger, clock and checkpoints, but without validations.

    Args:
        task: Of `experiment.build`.
        data: Of `experiment.build`.
        config: `trainer.max_steps` says how long.
        folder: The run folder.
        during: What runs in a break.
        every: Iterations of a block, whole chunks.

    Returns:
        The blocks, the first one with the warm-up.
    """
    breaks = Break(every=every, during=during)
    callbacks = [made(config.callbacks[name]) for name in DURING_TRAINING]
    trainer = trainer_of(
        config, folder, made(config.logger) if config.logger else False, [*callbacks, breaks], limit_val_batches=0
    )
    trainer.fit(task, datamodule=data)
    return breaks.blocks


def _clock(trainer: lightning.Trainer) -> Throughput:
    return callbacks_of(trainer, Throughput)[0]
