"""Checkpoints of a Lightning trainer, written beside their target instead of through `$TMPDIR`."""

from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.plugins import TorchCheckpointIO

from sr.runs.files import write_atomically


class _PlainFile(TorchCheckpointIO):
    """Write a checkpoint straight to its path.

    Lightning's own way writes it into `$TMPDIR` first and moves it: a kill leaves whole copies there, and a small
    `$TMPDIR` ends the run.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint to a path."""
        with open(path, "wb") as file:  # a file of Python's reports a full disk as an OSError with its number
            torch.save(checkpoint, file)


def save_training_state(trainer: lightning.Trainer, path: Path) -> None:
    """Write the whole state of training to a file, atomically.

    Args:
        trainer: A trainer during or after `fit`.
        path: The checkpoint.

    Raises:
        OSError: It cannot be written.
    """
    trainer.strategy.checkpoint_io = _PlainFile()
    write_atomically(path, trainer.save_checkpoint)
