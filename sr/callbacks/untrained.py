"""Runs of a net that has nothing to train (nearest, bicubic, FSR1): scored and timed like any other."""

from collections.abc import Mapping
from pathlib import Path

import lightning
from lightning.pytorch.callbacks import Callback

from sr.callbacks.checkpoint import NAME as CHECKPOINT
from sr.callbacks.throughput import NAME as CLOCK
from sr.callbacks.throughput import Throughput
from sr.runs.files import write_json
from sr.tasks.training_state import save_training_state

NEED_WEIGHTS = ("quantize", "sensitivity", "perceptual", "export", "images")


class Untrained(Callback):
    """Leave the files that training would have left: a checkpoint, and the totals of a clock that never ran."""

    def on_fit_start(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Write what is missing."""
        folder = Path(trainer.default_root_dir)
        if not (folder / CHECKPOINT).is_file():
            save_training_state(trainer, folder / CHECKPOINT)
        if not (folder / CLOCK).is_file():
            write_json(folder / CLOCK, Throughput().totals)


def without_training(callbacks: Mapping[str, Callback]) -> dict[str, Callback]:
    """Leave out the callbacks that quantize or export weights, and put `Untrained` first."""
    kept = {name: each for name, each in callbacks.items() if name not in NEED_WEIGHTS}
    return {"untrained": Untrained(), **kept}
