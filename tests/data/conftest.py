"""A folder of small images, and a training that remembers the batches it got."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from sr.data.module import ImageData
from sr.data.patches import Batch


class Recorder(lightning.LightningModule):
    """Takes steps, and remembers the batches it got."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.seen: list[Batch] = []
        self.validated: list[str] = []
        self.automatic_optimization = False

    def training_step(self, chunk: list[Batch], _: int) -> None:
        for batch in chunk:
            self.seen.append(batch)
            self.weight.sum().backward()
            self.optimizers().step()

    def validation_step(self, pair: Any, _: int) -> None:
        self.validated.append(pair.name)
        assert pair.hr.dtype == np.uint8

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def train(images: ImageData, folder: Path, steps: int, ckpt: str | None = None) -> Recorder:
    task = Recorder()
    trainer = lightning.Trainer(
        accelerator="cpu", max_steps=steps, max_epochs=-1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder, num_sanity_val_steps=0,
        val_check_interval=2, check_val_every_n_epoch=None,
    )  # fmt: skip
    trainer.fit(task, datamodule=images, ckpt_path=ckpt)
    trainer.save_checkpoint(folder / "last.ckpt")
    return task


@pytest.fixture
def fit() -> Callable[..., Recorder]:
    """Train on images for some steps, from a checkpoint if one is named, and leave `last.ckpt` in the folder."""
    return train


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve images of noise, each of another height."""
    (tmp_path / "set").mkdir()
    rng = np.random.default_rng(0)
    for i in range(12):
        Image.fromarray(rng.integers(0, 256, (60 + i, 64, 3), dtype=np.uint8)).save(tmp_path / "set" / f"{i:02}.png")
    return tmp_path / "set"
