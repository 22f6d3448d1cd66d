"""Checkpoints of a Lightning trainer, written to a temporary file beside their target."""

from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.plugins import TorchCheckpointIO

from sr.runs.files import write_atomically


class _PlainFile(TorchCheckpointIO):
    """Write a checkpoint directly to its path.

    Lightning itself writes to `$TMPDIR` first. A killed process then leaves copies there, and a small `$TMPDIR` stops
    the run.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint to a path."""
        with open(path, "wb") as file:  # a Python file reports a full disk as OSError with its errno
            torch.save(checkpoint, file)


def save_training_state(trainer: lightning.Trainer, path: Path) -> None:
    """Write the whole training state to a checkpoint atomically.

    Args:
        trainer: A trainer during or after `fit`.
        path: Path of the checkpoint.

    Raises:
        OSError: If the file cannot be written.
    """
    trainer.strategy.checkpoint_io = _PlainFile()
    write_atomically(path, trainer.save_checkpoint)
