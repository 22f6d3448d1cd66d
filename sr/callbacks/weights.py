"""Keep what training made."""

from pathlib import Path
from typing import Any

import lightning

from sr.callbacks.checkpoint import NAME as CHECKPOINT
from sr.callbacks.stage import Stage
from sr.models.weights import FLOAT_WEIGHTS, save_weights
from sr.runs.identity import kept_config
from sr.tasks.regression import Regression

NAME = "float/weights.json"


class Weights(Stage):
    """Write the deployable float net as safetensors, with the run's config in its metadata."""

    result = NAME
    sources = (CHECKPOINT,)

    def work(self, trainer: lightning.Trainer, task: Regression, folder: Path) -> dict[str, Any]:
        """Write `float/weights.safetensors`."""
        config = kept_config(folder)
        save_weights(task.deployable(), folder / FLOAT_WEIGHTS, {"config": config, "iterations": trainer.global_step})
        return {"file": FLOAT_WEIGHTS, "iterations": trainer.global_step}
