"""Quantization-aware training: a short fit of the simulated net, weights and ranges, at very small learning rates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import lightning
import torch
from lightning.pytorch.plugins.environments import LightningEnvironment
from torch import nn

from sr.losses.distillation_loss import check_share
from sr.models.net import Net
from sr.quantization.fingerprint import is_ours
from sr.quantization.qat_training import RANGES, Checkpoint, Task, teacher_of
from sr.quantization.scheme import StageInputs
from sr.quantization.silence_logs import quiet
from sr.quantization.simulation import Simulation

FILE = "last.ckpt"
PARAMETERS, DECAYS, KEPT = ("all", "biases"), ("cosine", "constant"), ("best", "last")


@dataclass(frozen=True, kw_only=True)
class Qat:
    """The stage: Adam on weights and ranges of a calibrated simulation, starting afresh, with a checkpoint of its own.

    It ends with the best of its checkpoints on the held-out images, its start among them, unless its lead on the last
    one is no more than chance; so it makes no net clearly worse there. It computes in fp32 throughout: bf16 has 8 bits
    of mantissa and not the 256 levels of a grid.

    Args:
        name: word for folder and report.
        parameters: "all", or "biases": weights and ranges stay.
        iterations: optimizer steps.
        learning_rate: of weights and biases; small ones win, as the net is trained already.
        encoding_learning_rate: of the ranges that can be learned (weights, and activations without a clip); 0 keeps
            those of calibration, which is also faster.
        decay: "cosine" to zero, or "constant".
        distillation: share in [0, 1] of the loss that is measured against a float net's output instead of hr.
        teacher: this net: a finished run's folder, its weights, or pretrained/<name>; None for the quantized one.
        checkpoint_every: iterations between two checkpoints, each scored; a kill loses at most these.
        keep: "best" of the checkpoints on the held-out images where it is clearly that, or "last".
        accelerator: "cpu", "gpu" or "auto".

    Raises:
        ValueError: a count below one, a rate that is negative, an unknown word, a share outside [0, 1].
    """

    name: str
    parameters: str
    iterations: int
    learning_rate: float
    encoding_learning_rate: float
    decay: str
    distillation: float
    teacher: str | None
    checkpoint_every: int
    keep: str
    accelerator: str

    def __post_init__(self) -> None:
        if min(self.iterations, self.checkpoint_every) < 1:
            raise ValueError(
                f"{self.name} needs iterations and checkpoint_every of at least 1, "
                f"got {self.iterations} and {self.checkpoint_every}"
            )
        if min(self.learning_rate, self.encoding_learning_rate) < 0:
            raise ValueError(
                f"{self.name} needs learning rates of at least 0, "
                f"got {self.learning_rate} and {self.encoding_learning_rate}"
            )
        for key, allowed in (("parameters", PARAMETERS), ("decay", DECAYS), ("keep", KEPT)):
            if getattr(self, key) not in allowed:
                raise ValueError(f"{self.name}.{key} is {' or '.join(allowed)}, got {getattr(self, key)!r}")
        check_share(f"{self.name}.distillation", self.distillation)
        if self.teacher and not self.distillation:
            raise ValueError(f"{self.name}.teacher teaches nothing at a distillation of 0; give a share in (0, 1]")

    def factor(self, iteration: int) -> float:
        """What the learning rates are multiplied by at an iteration."""
        if self.decay == "constant":
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * iteration / self.iterations))

    def check(self, net: Net) -> None:
        """Refuse a teacher that is not there, or is of another scale or colour than the net."""
        if self.teacher:
            teacher_of(self.teacher, net)

    def __call__(self, simulation: Simulation, material: StageInputs) -> Simulation:
        """Train the simulation in place, or go on from the checkpoint in the material's folder.

        Raises:
            ValueError: the loss became not-a-number, with the iteration; the checkpoint is damaged; or the teacher is
                not there, or of another scale or colour.
        """
        checkpoint = material.folder / FILE
        with _frozen(simulation.net, self), quiet(), torch.enable_grad(), ExitStack() as within:
            task = Task(self, simulation, material, within)
            trainer = lightning.Trainer(
                accelerator=self.accelerator,
                devices=1,
                plugins=[LightningEnvironment()],  # one process, whatever tasks a SLURM job has
                max_steps=self.iterations,
                max_epochs=-1,
                logger=False,
                callbacks=[Checkpoint(checkpoint, self)],
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                default_root_dir=material.folder,
            )
            trainer.fit(task, ckpt_path=checkpoint if is_ours(checkpoint, task.identity) else None)
        simulation.net.cpu().eval().zero_grad(set_to_none=True)
        if self.keep == "best":
            task.take_best()
        simulation.figures |= task.figures
        return simulation


@contextmanager
def _frozen(net: nn.Module, qat: Qat) -> Iterator[None]:
    """Without gradients inside: the ranges if they have no learning rate, all but the biases if these alone train."""
    biases_only = qat.parameters == "biases"
    frozen = [
        parameter
        for name, parameter in net.named_parameters()
        if parameter.requires_grad
        and ((RANGES in name and not qat.encoding_learning_rate) or (biases_only and not name.endswith(".bias")))
    ]
    for parameter in frozen:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(True)
