"""Look at training while it goes on."""

from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from sr.functional.picture import enlarge, save_png, titled_strip
from sr.stages.tracking import log_picture
from sr.tasks.regression import Regression

_FILE = "images/validation.png"


class ValidationImages(Callback):
    """At each validation show LR (nearest) | SR | HR of the first held-out image: a file, and the logger's images."""

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, task: Any, output: Any, pair: Any, index: int, *_: Any
    ) -> None:
        """Keep the first image's picture."""
        if index == 0 and isinstance(task, Regression):
            lr = enlarge(pair.lr, *pair.hr.shape[:2])
            picture = titled_strip({"LR (nearest)": lr, "SR": task.upscale(pair.lr), "HR": pair.hr})
            save_png(picture, Path(trainer.default_root_dir) / _FILE)
            log_picture(trainer.loggers, "validation", picture, trainer.global_step)
