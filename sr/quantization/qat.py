"""Quantization-aware training: a short fit of the simulated net, weights and ranges, at very small learning rates."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from sr.evaluation import to_network
from sr.quantization.faster import faster
from sr.quantization.identity import identity, is_ours
from sr.quantization.quiet import quiet
from sr.quantization.scheme import Material
from sr.quantization.simulation import Simulation
from sr.rundir.files import write_atomically

log = logging.getLogger(__name__)

FILE = "last.ckpt"
RANGES = "_quantizers."  # in the name of every parameter that is a range and no weight
CHUNK = 10  # optimizer steps for each step of Lightning's loop, so that the loop costs nothing
Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, kw_only=True)
class Qat:
    """The stage: Adam on weights and ranges of a calibrated simulation, starting afresh, with a checkpoint of its own.

    Args:
        name: word for folder and report.
        iterations: optimizer steps.
        learning_rate: of weights and biases; small ones win, as the net is trained already.
        encoding_learning_rate: of the ranges that can be learned (weights, and activations without a clip); 0 keeps
            those of calibration, which is also faster.
        decay: "cosine" to zero, or "constant".
        distillation: share in [0, 1] of the loss that is measured against the float net's output instead of hr.
        checkpoint_every: iterations between two checkpoints; a kill loses at most these.
        accelerator: "cpu", "gpu" or "auto".

    Raises:
        ValueError: a count below one, a rate that is negative, an unknown decay, a share outside [0, 1].
    """

    name: str
    iterations: int
    learning_rate: float
    encoding_learning_rate: float
    decay: str
    distillation: float
    checkpoint_every: int
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
        if self.decay not in ("cosine", "constant"):
            raise ValueError(f"{self.name}.decay is cosine or constant, got {self.decay!r}")
        if not 0 <= self.distillation <= 1:
            raise ValueError(f"{self.name}.distillation is a share in [0, 1], got {self.distillation}")

    def factor(self, iteration: int) -> float:
        """What the learning rates are multiplied by at an iteration."""
        if self.decay == "constant":
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * iteration / self.iterations))

    def __call__(self, simulation: Simulation, material: Material) -> Simulation:
        """Train the simulation in place, or go on from the checkpoint in the material's folder.

        Raises:
            ValueError: the loss became not-a-number, with the iteration; or the checkpoint is damaged.
        """
        checkpoint = material.folder / FILE
        ranges = nullcontext() if self.encoding_learning_rate else _fixed_ranges(simulation.net)
        with ranges, quiet(), torch.enable_grad(), ExitStack() as within:
            task = _Task(self, simulation, material, within)
            trainer = lightning.Trainer(
                accelerator=self.accelerator,
                devices=1,
                max_steps=self.iterations,
                max_epochs=-1,
                logger=False,
                callbacks=[_Checkpoint(checkpoint, self)],
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                default_root_dir=material.folder,
            )
            trainer.fit(task, ckpt_path=checkpoint if is_ours(checkpoint, task.identity) else None)
        simulation.net.cpu().eval().zero_grad(set_to_none=True)
        simulation.figures |= task.figures
        return simulation


class _Task(lightning.LightningModule):
    """What Lightning trains: the simulated net; the teacher stays outside, as checkpoints hold only what changes."""

    _teacher: nn.Module | None

    def __init__(self, qat: Qat, simulation: Simulation, material: Material, within: ExitStack) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.net = simulation.net
        self.loss = material.loss
        self.qat, self.material = qat, material
        self.identity = identity(qat, simulation.net, material)
        self.figures: dict[str, float] = {}  # loss of the newest chunk, speed since this start
        self._steps, self._seconds = 0, 0.0
        self._within = within
        teacher = copy.deepcopy(material.float_net).eval() if qat.distillation else None
        object.__setattr__(self, "_teacher", teacher)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam over two groups: the net's own parameters, and the ranges."""
        groups: dict[bool, list[nn.Parameter]] = {False: [], True: []}
        for name, parameter in self.net.named_parameters():
            if parameter.requires_grad:
                groups[RANGES in name].append(parameter)
        if not groups[False]:
            raise ValueError(
                f"{self.qat.name}: no weight of the net is trainable (requires_grad); nothing would be learned"
            )
        rates = {False: self.qat.learning_rate, True: self.qat.encoding_learning_rate}
        filled = [{"params": groups[ranges], "lr": rates[ranges]} for ranges in groups if groups[ranges]]
        return torch.optim.Adam(filled, fused=True)

    def train_dataloader(self) -> Iterator[list[Batch]]:
        """Chunks from the iteration that training stands at; none crosses a checkpoint or the end."""
        position = self.trainer.global_step
        batches = iter(self.material.stream(position))
        while position < self.qat.iterations:
            every = self.qat.checkpoint_every
            length = min(CHUNK, every - position % every, self.qat.iterations - position)
            yield [next(batches) for _ in range(length)]
            position += length

    def on_fit_start(self) -> None:
        """Train mode, and the fast quantizers of the device; the teacher follows to it."""
        self.net.train()
        self._within.enter_context(faster(self.net))
        if self._teacher is not None:
            self._teacher.to(self.device)

    def training_step(self, chunk: list[Batch], _: int) -> None:
        """Take one optimizer step for each batch."""
        first, started = self.global_step, time.perf_counter()
        losses = torch.stack([self._step(lr, hr) for lr, hr in chunk])
        if not bool(torch.isfinite(losses).all()):
            iteration = first + int((~torch.isfinite(losses)).nonzero()[0])
            raise ValueError(
                f"{self.qat.name}: the loss is not a number at iteration {iteration}. Lower its learning_rate "
                f"({self.qat.learning_rate:g}) or encoding_learning_rate ({self.qat.encoding_learning_rate:g})"
            )
        self._steps += len(chunk)
        self._seconds += time.perf_counter() - started
        name, rate = self.qat.name, self._steps / self._seconds
        self.figures = {f"{name}_loss": losses.mean().item(), f"{name}_it_per_s": rate}

    def _step(self, lr: Tensor, hr: Tensor) -> Tensor:
        optimizer: Any = self.optimizers()
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * self.qat.factor(self.global_step)
        inputs, target = to_network(lr, self.net), to_network(hr, self.net)
        sr = self.net(inputs)
        loss = self.loss(sr, target)
        if self._teacher is not None:
            with torch.no_grad():
                taught = self._teacher(inputs)
            loss = torch.lerp(loss, self.loss(sr, taught), self.qat.distillation)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()


class _Checkpoint(Callback):
    """Keep the whole state of the fit in one file that is always whole, with the identity of what is being trained."""

    def __init__(self, path: Path, qat: Qat) -> None:
        self.path, self.qat = path, qat

    def on_train_batch_end(self, trainer: lightning.Trainer, task: Any, *_: Any) -> None:
        """Save at each multiple of `checkpoint_every` and at the end."""
        step = trainer.global_step
        if step % self.qat.checkpoint_every == 0 or step == self.qat.iterations:
            write_atomically(self.path, trainer.save_checkpoint)
            loss, rate = task.figures.values()
            log.info("%s %d/%d: loss %.5f, %.1f it/s", self.qat.name, step, self.qat.iterations, loss, rate)

    def on_save_checkpoint(self, _: lightning.Trainer, task: Any, checkpoint: dict[str, Any]) -> None:
        """Sign the file, and keep the figures for a resume that finds nothing left to do."""
        checkpoint |= {"identity": task.identity, "figures": task.figures}

    def on_load_checkpoint(self, _: lightning.Trainer, task: Any, checkpoint: dict[str, Any]) -> None:
        """Take the figures back."""
        task.figures = checkpoint["figures"]


@contextmanager
def _fixed_ranges(net: nn.Module) -> Iterator[None]:
    """Keep all ranges as they are inside, without gradients."""
    ranges = [p for name, p in net.named_parameters() if RANGES in name and p.requires_grad]
    for parameter in ranges:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in ranges:
            parameter.requires_grad_(True)
