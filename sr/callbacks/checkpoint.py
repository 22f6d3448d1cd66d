"""The newest state of training, in one file that is always whole."""

from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Checkpoint

from sr.config.checks import count
from sr.models.weights import CHECKPOINT
from sr.tasks.training_state import save_training_state


class LastCheckpoint(Checkpoint):
    """Save the whole state of training to `checkpoints/last.ckpt` every few iterations and at the end, atomically.

    Args:
        every: iterations between two checkpoints; a chunk that crosses a multiple of it triggers one.

    Raises:
        ValueError: none between them.
    """

    def __init__(self, *, every: int) -> None:
        self.every = count("train.checkpoint_every", every)
        self._saved_at = 0

    def on_train_start(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Count from where training goes on."""
        self._saved_at = trainer.global_step

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Save when a multiple of `every` was passed since the last time, or when SIGTERM is about to end the run."""
        if trainer.received_sigterm or trainer.global_step // self.every > self._saved_at // self.every:
            self._save(trainer)

    def on_validation_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Save after a validation, so that a resume neither repeats nor loses it."""
        if not trainer.sanity_checking:
            self._save(trainer)

    def on_train_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Save the final state."""
        if trainer.global_step > self._saved_at:
            self._save(trainer)

    def _save(self, trainer: lightning.Trainer) -> None:
        save_training_state(trainer, Path(trainer.default_root_dir) / CHECKPOINT)
        self._saved_at = trainer.global_step
