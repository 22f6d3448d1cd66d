"""Lightning module of quantization-aware training: loss, optimizer, teacher, and the best state so far."""

import copy
import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from statistics import fmean
from typing import Any

import lightning
import torch
from torch import Tensor, nn

from sr.devices.collectives import average, average_gradients, own_rows, process_rank
from sr.evaluation import to_network
from sr.losses.distillation_loss import check_pair, mixed
from sr.models.net import Net
from sr.pretrained.trained import trained
from sr.quantization.checkpoint_selection import is_better, lead_db
from sr.quantization.fast_fake_quant import fast_fake_quant
from sr.quantization.kept_result import step_fingerprint
from sr.quantization.qat_settings import QatSettings
from sr.quantization.simulation import Simulation
from sr.quantization.steps import StepInputs
from sr.quantization.weighted_layers import left_by_pruning

log = logging.getLogger(__name__)

RANGE_NAMES = "_quantizers."  # in the name of every parameter that is a range and no weight
_CHUNK = 10  # optimizer steps for each step of Lightning's loop, which makes the loop's own time negligible
_Batch = tuple[Tensor, Tensor]


class QatTask(lightning.LightningModule):
    """Lightning module that trains the simulated net; the teacher is no submodule, so checkpoints do not hold it.

    Args:
        settings: Learning rates, decay, distillation and which state to keep.
        simulation: A calibrated simulation.
        inputs: Training images, loss, score, folder and seed.
        within: Stack of context managers that is closed after the fit.
    """

    _teacher: nn.Module | None

    def __init__(self, settings: QatSettings, simulation: Simulation, inputs: StepInputs, within: ExitStack) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.net = simulation.net
        self.loss = inputs.loss
        self.settings, self.inputs = settings, inputs
        self.figures: dict[str, float] = {}  # loss of the newest chunk, speed since this start, score of the best
        self.best: dict[str, Tensor] = {}  # parameters with the best score so far
        self.scores: dict[str, list[float]] = {}  # PSNR of each held-out image: of the best state, of the last one
        self._steps, self._seconds = 0, 0.0
        self._within = within
        teacher = _teacher(settings, inputs) if settings.distillation else None
        object.__setattr__(self, "_teacher", teacher)
        others = [teacher] if teacher and settings.teacher else []  # the file may change between two calls
        self.identity = step_fingerprint(settings, simulation.net, inputs, *others)
        self._left = left_by_pruning(inputs.float_net)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam with two parameter groups: the net's own parameters, and the ranges."""
        groups: dict[bool, list[nn.Parameter]] = {False: [], True: []}
        for name, parameter in self.net.named_parameters():
            if parameter.requires_grad:
                groups[RANGE_NAMES in name].append(parameter)
        if not groups[False]:
            raise ValueError(
                f"{self.settings.name}: no weight of the net is trainable (requires_grad); nothing would be learned"
            )
        rates = {False: self.settings.learning_rate, True: self.settings.encoding_learning_rate}
        filled = [{"params": groups[ranges], "lr": rates[ranges]} for ranges in groups if groups[ranges]]
        return torch.optim.Adam(filled, fused=True)

    def train_dataloader(self) -> Iterator[list[_Batch]]:
        """Yield lists of batches from the current iteration on; none crosses a checkpoint or the end."""
        position = self.trainer.global_step
        batches = iter(self.inputs.stream(position))
        while position < self.settings.iterations:
            every = self.settings.checkpoint_every
            length = min(_CHUNK, every - position % every, self.settings.iterations - position)
            yield [(own_rows(lr), own_rows(hr)) for lr, hr in islice(batches, length)]
            position += length

    def on_fit_start(self) -> None:
        """Switch to train mode and to the fast quantizers; move the teacher and the pruning masks to the device."""
        self.net.train()
        self._left = {name: mask.to(self.device) for name, mask in self._left.items()}
        self._keep_zeros()
        self._within.enter_context(fast_fake_quant(self.net))
        if self._teacher is not None:
            self._teacher.to(self.device)

    def on_train_start(self) -> None:
        """Score the state that training starts from."""
        self.score()

    def training_step(self, chunk: list[_Batch], _: int) -> None:
        """Run one optimizer step for each batch.

        Args:
            chunk: Batches of uint8 RGB (lr, hr).
        """
        first, started = self.global_step, time.perf_counter()
        losses = average(torch.stack([self._step(lr, hr) for lr, hr in chunk]))
        if not bool(torch.isfinite(losses).all()):
            iteration = first + int((~torch.isfinite(losses)).nonzero()[0])
            rates = f"({self.settings.learning_rate:g}) or encoding_learning_rate "
            rates += f"({self.settings.encoding_learning_rate:g})"
            raise ValueError(
                f"{self.settings.name}: the loss is not a number at iteration {iteration}. "
                f"Lower its learning_rate {rates}"
            )
        self._steps += len(chunk)
        self._seconds += time.perf_counter() - started
        name, rate = self.settings.name, self._steps / self._seconds
        self.figures |= {f"{name}_loss": losses.mean().item(), f"{name}_it_per_s": rate}

    def _step(self, lr: Tensor, hr: Tensor) -> Tensor:
        optimizer: Any = self.optimizers()
        for group in optimizer.param_groups:
            group["lr"] = group.setdefault("initial_lr", group["lr"]) * self.settings.factor(self.global_step)
        inputs, target = to_network(lr, self.net), to_network(hr, self.net)
        sr = self.net(inputs)
        if self._teacher is None:
            loss = self.loss(sr, target)
        else:
            with torch.no_grad():
                taught = self._teacher(inputs)
            loss = mixed(self.loss, sr, target, taught, self.settings.distillation)
        optimizer.zero_grad()
        loss.backward()
        average_gradients(self.net.parameters())
        optimizer.step()
        self._keep_zeros()
        return loss.detach()

    @torch.no_grad()
    def _keep_zeros(self) -> None:
        """Set pruned weights back to zero, whatever the optimizer or an earlier step made of them."""
        for name, mask in self._left.items():
            self.net.get_parameter(name).mul_(mask)

    def score(self) -> None:
        """Score the net on the held-out images, and keep its parameters if this is the best score so far.

        Of several processes that train together, the first does so while the others wait.
        """
        if process_rank():
            return
        name, iteration = self.settings.name, self.global_step
        if self.settings.keep != "best" or self.figures.get(f"{name}_scored_iteration") == iteration:
            return
        self.scores["last"] = [float(psnr) for psnr in self.inputs.score(self.net)]
        found = fmean(self.scores["last"])
        self.figures[f"{name}_scored_iteration"] = iteration
        self.figures.setdefault(f"{name}_start_psnr_db", found)
        if is_better(self.scores["last"], self.scores.get("best")):
            self.figures |= {f"{name}_best_psnr_db": found, f"{name}_best_iteration": iteration}
            self.best = {key: value.detach().cpu().clone() for key, value in self.net.named_parameters()}
            self.scores["best"] = self.scores["last"]

    @torch.no_grad()
    def take_best(self) -> None:
        """Load the parameters of the best score into the net, which is on the CPU, unless its lead is within chance.

        The earlier state is taken if its lead over the last one exceeds the standard error of the lead over the images:
        the one-standard-error rule (Breiman et al., Classification and Regression Trees, 1984).
        """
        name, lead, error = self.settings.name, *lead_db(self.scores["best"], self.scores["last"])
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
    """Load the float net to imitate, in evaluation mode, without gradients.

    Args:
        source: Folder of a finished run, its weights, or pretrained/<name>.
        net: Net that is trained.

    Raises:
        ValueError: The teacher is missing, or has another scale or colour.
    """
    teacher = trained(source, scale=net.scale)
    check_pair(net, teacher)
    return teacher.requires_grad_(False)


def _teacher(settings: QatSettings, inputs: StepInputs) -> nn.Module:
    """Return the teacher: another net, or a copy of the float net that is quantized."""
    if settings.teacher:
        return teacher_of(settings.teacher, inputs.float_net)
    return copy.deepcopy(inputs.float_net).eval()
