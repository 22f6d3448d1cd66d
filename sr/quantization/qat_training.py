"""Fit of quantization-aware training with Lightning, restarted from its own checkpoint."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins.environments import LightningEnvironment
from torch import nn

from sr.devices.accelerator import one_device
from sr.devices.collectives import agreed
from sr.devices.followers import crew
from sr.devices.world import current_world
from sr.quantization.kept_result import is_current
from sr.quantization.qat_settings import QatSettings
from sr.quantization.qat_task import RANGE_NAMES, QatTask
from sr.quantization.simulation import Simulation
from sr.quantization.steps import StepInputs
from sr.runs.silence_logs import silence_logs
from sr.tasks.training_state import save_training_state

log = logging.getLogger(__name__)


def fit_qat(settings: QatSettings, simulation: Simulation, inputs: StepInputs) -> dict[str, float]:
    """Train a simulation in place, or continue from the checkpoint in the step's folder.

    Args:
        settings: Iterations, learning rates and which state to keep.
        simulation: A calibrated simulation; afterwards in eval mode on the CPU.
        inputs: Training images, loss, score, folder and seed.

    Returns:
        Figures for the report: loss, speed, and score and iteration of the start, the best and the kept state.

    Raises:
        ValueError: The loss is not a number, or the checkpoint is damaged.
    """
    checkpoint = inputs.folder / "last.ckpt"
    with _frozen(simulation.net, settings), silence_logs(), torch.enable_grad(), ExitStack() as within:
        task = QatTask(settings, simulation, inputs, within)
        trainer = lightning.Trainer(
            **one_device(settings.accelerator),
            plugins=[LightningEnvironment()],  # one process, whatever tasks a SLURM job has
            max_steps=settings.iterations,
            max_epochs=-1,
            logger=False,
            callbacks=[QatCheckpoint(checkpoint, settings)] if current_world().rank == 0 else [],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=inputs.folder,
        )
        with crew().joined([simulation.net], kind="qat", step=settings.name):
            goes_on = agreed(is_current(checkpoint, task.identity))
            trainer.fit(task, ckpt_path=checkpoint if goes_on else None, weights_only=True)
    simulation.net.cpu().eval().zero_grad(set_to_none=True)
    if settings.keep == "best" and task.scores:
        task.take_best()
    return task.figures


class QatCheckpoint(Callback):
    """Save the whole state of the fit in one file, atomically, with the fingerprint of what is trained."""

    def __init__(self, path: Path, settings: QatSettings) -> None:
        self.path, self.settings = path, settings

    def on_train_batch_end(self, trainer: lightning.Trainer, task: Any, *_: Any) -> None:
        """Save at each multiple of `checkpoint_every` and at the end."""
        step = trainer.global_step
        if step % self.settings.checkpoint_every == 0 or step == self.settings.iterations:
            task.score()
            save_training_state(trainer, self.path)
            shown = {key.removeprefix(f"{self.settings.name}_"): round(value, 5) for key, value in task.figures.items()}
            log.info("%s %d/%d: %s", self.settings.name, step, self.settings.iterations, shown)

    def on_save_checkpoint(self, _: lightning.Trainer, task: Any, checkpoint: dict[str, Any]) -> None:
        """Add the fingerprint, the figures, the best parameters so far and their scores."""
        kept = {"figures": task.figures, "best": task.best, "scores": task.scores}
        checkpoint |= {"identity": task.identity, **kept}

    def on_load_checkpoint(self, _: lightning.Trainer, task: Any, checkpoint: dict[str, Any]) -> None:
        """Restore figures, best parameters and scores."""
        task.figures, task.best, task.scores = (checkpoint[key] for key in ("figures", "best", "scores"))


@contextmanager
def _frozen(net: nn.Module, settings: QatSettings) -> Iterator[None]:
    """Freeze the ranges if their learning rate is 0, and all but the biases if only these are trained."""
    biases_only = settings.parameters == "biases"
    frozen = [
        parameter
        for name, parameter in net.named_parameters()
        if parameter.requires_grad
        and (
            (RANGE_NAMES in name and not settings.encoding_learning_rate)
            or (biases_only and not name.endswith(".bias"))
        )
    ]
    for parameter in frozen:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(True)
