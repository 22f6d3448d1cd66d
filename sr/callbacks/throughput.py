"""How fast training was, and how much of it was waiting for data."""

import sys
import time
from pathlib import Path
from typing import Any, cast

import lightning
from lightning.pytorch.callbacks import Callback
from tqdm import tqdm

from sr.data.patches import Chunks
from sr.runs.files import write_json
from sr.stages.training import TRAINING_FIGURES


class Throughput(Callback):
    """Show progress with iterations a second and loader wait; leave the totals in `training.json`.

    Time spent in validation is not training time. The totals survive a resume.
    """

    def __init__(self) -> None:
        self.totals = {"seconds": 0.0, "loader_wait_seconds": 0.0, "iterations": 0}

    def state_dict(self) -> dict[str, Any]:
        """The totals, for the checkpoint."""
        return dict(self.totals)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the totals of the checkpoint."""
        self.totals.update(state_dict)

    def on_train_start(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Open the bar where training goes on."""
        self._bar = tqdm(
            total=trainer.max_steps, initial=trainer.global_step, unit="it", desc="train", file=sys.stdout,
            mininterval=0.5 if sys.stdout.isatty() else 20, dynamic_ncols=True,
        )  # fmt: skip
        self._mark, self._step, self._waited = time.perf_counter(), trainer.global_step, 0.0

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Count a chunk and show the bar."""
        now, waited = time.perf_counter(), cast(Chunks, trainer.train_dataloader).wait_s
        steps = trainer.global_step - self._step
        self.totals["seconds"] += now - self._mark
        self.totals["loader_wait_seconds"] += waited - self._waited
        self.totals["iterations"] += steps
        self._mark, self._step, self._waited = now, trainer.global_step, waited
        waiting = self.totals["loader_wait_seconds"] / self.totals["seconds"]
        loss = float(trainer.callback_metrics["train/loss"])
        self._bar.set_postfix_str(f"loss {loss:.4f}, loader wait {waiting:.1%}", refresh=False)
        self._bar.update(steps)

    def on_validation_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Leave validation out of the training time."""
        self._mark = time.perf_counter()

    def on_train_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Close the bar."""
        self._bar.close()

    def on_fit_end(self, trainer: lightning.Trainer, task: lightning.LightningModule) -> None:
        """Write the totals; after a kill behind the last iteration, too, when training itself does not start again."""
        write_json(Path(trainer.default_root_dir) / TRAINING_FIGURES, self.totals)
