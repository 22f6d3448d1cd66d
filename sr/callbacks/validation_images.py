"""Look at training while it goes on."""

from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger

from sr.functional.picture import enlarge, save_png, side_by_side
from sr.tasks.regression import Regression

NAME = "images/validation.png"


class ValidationImages(Callback):
    """At each validation show LR (nearest) | SR | HR of the first held-out image: a file, and the logger's images."""

    def on_validation_batch_end(
        self, trainer: lightning.Trainer, task: Any, output: Any, pair: Any, index: int, *_: Any
    ) -> None:
        """Keep the first image's picture."""
        if index == 0 and isinstance(task, Regression):
            picture = side_by_side(enlarge(pair.lr, *pair.hr.shape[:2]), task.upscale(pair.lr), pair.hr)
            save_png(picture, Path(trainer.default_root_dir) / NAME)
            log_picture(trainer, "validation", picture)


def log_picture(trainer: lightning.Trainer, name: str, picture: Any) -> None:
    """Hand a picture (H, W, 3) uint8 to every logger that takes images (W&B, TensorBoard)."""
    logger: Any
    for logger in trainer.loggers:
        if isinstance(logger, WandbLogger):
            logger.log_image(name, [picture], step=trainer.global_step)
        elif isinstance(logger, TensorBoardLogger):
            logger.experiment.add_image(name, picture, trainer.global_step, dataformats="HWC")
