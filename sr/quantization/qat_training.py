"""The fit inside quantization-aware training: what Lightning trains, and what is kept of it."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from sr.evaluation import to_network
from sr.losses.distillation_loss import check_pair, mixed
from sr.models.net import Net
from sr.pretrained.trained import trained
from sr.quantization.checkpoint_selection import lead_db
from sr.quantization.fast_fake_quant import faster
from sr.quantization.fingerprint import identity
from sr.quantization.scheme import StageInputs
from sr.quantization.simulation import Simulation
from sr.quantization.weighted_layers import left_by_pruning
from sr.tasks.training_state import save_training_state

if TYPE_CHECKING:
    from sr.quantization.qat import Qat

log = logging.getLogger(__name__)

RANGES = "_quantizers."  # in the name of every parameter that is a range and no weight
CHUNK = 10  # optimizer steps for each step of Lightning's loop, so that the loop costs nothing
Batch = tuple[Tensor, Tensor]


class Task(lightning.LightningModule):
    """What Lightning trains: the simulated net; the teacher stays outside, as checkpoints hold only what changes."""

    _teacher: nn.Module | None

    def __init__(self, qat: Qat, simulation: Simulation, material: StageInputs, within: ExitStack) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.net = simulation.net
        self.loss = material.loss
        self.qat, self.material = qat, material
        self.figures: dict[str, float] = {}  # loss of the newest chunk, speed since this start, score of the best
        self.best: dict[str, Tensor] = {}  # parameters with the best score so far
        self.scores: dict[str, list[float]] = {}  # PSNR of each held-out image: of the best state, of the last one
        self._steps, self._seconds = 0, 0.0
        self._within = within
        teacher = _taught_by(qat, material) if qat.distillation else None
        object.__setattr__(self, "_teacher", teacher)
        others = [teacher] if teacher and qat.teacher else []  # its file may hold another net the next time
        self.identity = identity(qat, simulation.net, material, *others)
        self._left = left_by_pruning(material.float_net)

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
        """Train mode, and the fast quantizers of the device; the teacher follows to it, and what pruning left."""
        self.net.train()
        self._left = {name: mask.to(self.device) for name, mask in self._left.items()}
        self._keep_zeros()
        self._within.enter_context(faster(self.net))
        if self._teacher is not None:
            self._teacher.to(self.device)

    def on_train_start(self) -> None:
        """Score what training starts from."""
        self.score()

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
        self.figures |= {f"{name}_loss": losses.mean().item(), f"{name}_it_per_s": rate}

    def _step(self, lr: Tensor, hr: Tensor) -> Tensor:
        optimizer: Any = self.optimizers()
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * self.qat.factor(self.global_step)
        inputs, target = to_network(lr, self.net), to_network(hr, self.net)
        sr = self.net(inputs)
        if self._teacher is None:
            loss = self.loss(sr, target)
        else:
            with torch.no_grad():
                taught = self._teacher(inputs)
            loss = mixed(self.loss, sr, target, taught, self.qat.distillation)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        self._keep_zeros()
        return loss.detach()

    @torch.no_grad()
    def _keep_zeros(self) -> None:
        """A weight that was pruned stays zero, whatever the optimizer or an earlier stage made of it."""
        for name, mask in self._left.items():
            self.net.get_parameter(name).mul_(mask)

    def score(self) -> None:
        """Score the net on the held-out images, and keep its parameters if none before was better."""
        name, iteration = self.qat.name, self.global_step
        if self.qat.keep != "best" or self.figures.get(f"{name}_scored_iteration") == iteration:
            return
        self.scores["last"] = [float(psnr) for psnr in self.material.score(self.net)]
        found = fmean(self.scores["last"])
        self.figures[f"{name}_scored_iteration"] = iteration
        self.figures.setdefault(f"{name}_start_psnr_db", found)
        if found > self.figures.get(f"{name}_best_psnr_db", float("-inf")):
            self.figures |= {f"{name}_best_psnr_db": found, f"{name}_best_iteration": iteration}
            self.best = {key: value.detach().cpu().clone() for key, value in self.net.named_parameters()}
            self.scores["best"] = self.scores["last"]

    @torch.no_grad()
    def take_best(self) -> None:
        """Give the net, which is on the CPU, the parameters of its best score, where that is no chance.

        An earlier state is taken if it leads the last one by more than the standard error of the lead over the images
        (the one-standard-error rule of Breiman et al., Classification and Regression Trees, 1984).
        """
        name, lead, error = self.qat.name, *lead_db(self.scores["best"], self.scores["last"])
        best, last = (int(self.figures[f"{name}_{which}_iteration"]) for which in ("best", "scored"))
        self.figures[f"{name}_kept_iteration"] = best if lead > error else last
        if lead > error:
            for key, parameter in self.net.named_parameters():
                parameter.copy_(self.best[key].as_subclass(Tensor))
        elif len(self.scores["last"]) == 1 and lead > 0:
            log.warning(
                "%s keeps its last state: that of iteration %d is %.3f dB better, but on a single held-out image, "
                "which tells nothing of others. Give it several (data.val_images, data.heldout_every)",
                name,
                best,
                lead,
            )


def teacher_of(source: str, net: Net) -> Net:
    """The float net to imitate, in evaluation mode, without gradients.

    Args:
        source: a run's folder, its weights, or pretrained/<name>.
        net: that is to learn.

    Raises:
        ValueError: it is not there, or is of another scale or colour.
    """
    teacher = trained(source, scale=net.scale)
    check_pair(net, teacher)
    return teacher.requires_grad_(False)


def _taught_by(qat: Qat, material: StageInputs) -> nn.Module:
    """The teacher: another net, or that which is quantized."""
    if qat.teacher:
        return teacher_of(qat.teacher, material.float_net)
    return copy.deepcopy(material.float_net).eval()


class Checkpoint(Callback):
    """Keep the whole state of the fit in one file that is always whole, with the identity of what is being trained."""

    def __init__(self, path: Path, qat: Qat) -> None:
        self.path, self.qat = path, qat

    def on_train_batch_end(self, trainer: lightning.Trainer, task: Any, *_: Any) -> None:
        """Save at each multiple of `checkpoint_every` and at the end."""
        step = trainer.global_step
        if step % self.qat.checkpoint_every == 0 or step == self.qat.iterations:
            task.score()
            save_training_state(trainer, self.path)
            said = {key.removeprefix(f"{self.qat.name}_"): round(value, 5) for key, value in task.figures.items()}
            log.info("%s %d/%d: %s", self.qat.name, step, self.qat.iterations, said)

    def on_save_checkpoint(self, _: lightning.Trainer, task: Any, checkpoint: dict[str, Any]) -> None:
        """Sign the file, and keep the figures, the best parameters so far and their scores."""
        kept = {"figures": task.figures, "best": task.best, "scores": task.scores}
        checkpoint |= {"identity": task.identity, **kept}

    def on_load_checkpoint(self, _: lightning.Trainer, task: Any, checkpoint: dict[str, Any]) -> None:
        """Take them back."""
        task.figures, task.best, task.scores = (checkpoint[key] for key in ("figures", "best", "scores"))
