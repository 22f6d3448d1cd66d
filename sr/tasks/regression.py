"""Training with a pixel loss against the HR image."""

import copy
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from sr import metrics
from sr.data.pairs import ImagePair
from sr.data.patches import Batch
from sr.devices.collectives import average, average_gradients, num_processes, process_rank, whole_batch
from sr.evaluation import add_score, check_color, upscaler
from sr.models.blocks import inference_form
from sr.models.net import Net
from sr.tasks.best_weights import KEPT_WORDS, BestWeights
from sr.tasks.cuda_graphs import Objective, PixelObjective, captured
from sr.tasks.ema import WeightAverage
from sr.tasks.precision import check_machine, check_precision
from sr.tasks.random_state import random_states, set_random_states


class Regression(lightning.LightningModule):
    """Minimise a pixel loss between net(lr) and hr, with several optimizer steps per Lightning step.

    A step of a mobile net takes about ten milliseconds, so Lightning's loop would cost much of the time. Lightning
    therefore passes a chunk of batches, and this module takes one optimizer step per batch (manual optimization).
    `global_step`, schedules, checkpoints and resume count optimizer steps.

    With precision "bf16", the forward pass runs in bf16 autocast before iteration `fp32_from` and in fp32 from there
    on. Weights, optimizer and validation are always fp32.

    Args:
        net: The net in its training form.
        loss: Module (sr, hr) -> scalar.
        optimizer: Function parameters -> optimizer.
        scheduler: Function optimizer -> schedule, which is stepped once per iteration.
        precision: "fp32" or "bf16".
        fp32_from: First iteration in fp32 if the precision is bf16.
        ema_decay: Decay of the weight average; 0 for none.
        protocol: Name of the evaluation protocol for validation.
        cuda_graphs: "auto" records the step as a CUDA graph on a GPU, "never" does not.
        keep: "last" deploys the weights of the last iteration, "best" those of the validation with the highest PSNR.

    Raises:
        ValueError: If `precision`, `cuda_graphs` or `keep` is unknown, or a loss is not finite; the message names the
            iteration and the file with its batch.
    """

    rates = "optimizer.lr"
    """The settings to lower if a loss is not finite."""

    def __init__(
        self,
        *,
        net: Net,
        loss: nn.Module,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        scheduler: Callable[[Optimizer], LRScheduler],
        precision: str,
        fp32_from: int,
        ema_decay: float,
        protocol: str,
        cuda_graphs: str,
        keep: str,
    ) -> None:
        super().__init__()
        if cuda_graphs not in ("auto", "never"):
            raise ValueError(f"machine.cuda_graphs must be auto or never, got {cuda_graphs!r}")
        if keep not in KEPT_WORDS:
            raise ValueError(f"train.keep must be last or best, got {keep!r}")
        self.automatic_optimization = False
        self.best = BestWeights() if keep == "best" else None
        self.net = net.to(memory_format=torch.channels_last)
        self.scale: float = net.scale
        self.loss = loss
        self.average = WeightAverage(self.net, ema_decay) if ema_decay else None
        self.protocol = metrics.protocol(protocol)
        self.quality = metrics.SRQuality(protocol=self.protocol, scale=self.scale)
        check_color(upscaler(net), self.protocol)
        self._make_optimizer, self._make_scheduler = optimizer, scheduler
        self._precision, self._fp32_from = check_precision(precision), fp32_from
        self._capture, self._objectives = cuda_graphs, dict[bool, Objective]()

    def trained_net(self) -> Net:
        """Return the net to deploy, without a copy: the weight average if there is one, else the trained net."""
        return self.average.net if self.average else self.net

    def deployable(self) -> Net:
        """Return a copy of the net to deploy in its inference form, on the CPU and in evaluation mode."""
        net = copy.deepcopy(self.trained_net()).cpu()
        if self.best:
            self.best.load_into(net)
        for parameter, trained in zip(net.parameters(), self.net.parameters(), strict=True):
            parameter.requires_grad_(trained.requires_grad)  # QAT trains this net, and the average is frozen
        net = inference_form(net)
        return net.to(memory_format=torch.contiguous_format).eval()

    def configure_optimizers(self) -> Any:
        """Return the optimizer of all trainable parameters and its schedule, or [] if there are none."""
        parameters = [p for p in self.net.parameters() if p.requires_grad]
        if not parameters:
            return []
        optimizer = self._make_optimizer(parameters)
        return {"optimizer": optimizer, "lr_scheduler": self._make_scheduler(optimizer)}

    def on_fit_start(self) -> None:
        """Check that the device supports the precision."""
        check_machine(self._precision, self.device)

    def on_train_start(self) -> None:
        """Raise ValueError if a held-out image is too small for a score."""
        for pair in self.trainer.val_dataloaders or ():
            try:
                self.protocol.check_size(pair.hr.shape[0], pair.hr.shape[1], self.scale)
            except ValueError as error:
                raise ValueError(
                    f"held-out image {pair.name}: {error}; raise data.val_crop if that cropped it, or remove the image"
                ) from error

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save the random state, because a net or a loss may draw random numbers; the crops do not."""
        checkpoint |= random_states(self.device)
        if self.best:
            checkpoint["best_weights"] = self.best.state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the random state."""
        set_random_states(checkpoint, self.trainer.strategy.root_device)
        if self.best:
            self.best.set_state(checkpoint["best_weights"])

    def training_step(self, chunk: list[Batch], index: int) -> None:
        """Take one optimizer step for each batch of uint8 (lr, hr) in the chunk."""
        first = self.global_step
        losses = average(torch.stack([self._step(lr, hr) for lr, hr in chunk]))
        if not torch.isfinite(losses).all():
            self._stop_at(int((~torch.isfinite(losses)).nonzero()[0]), first, chunk, losses)
        self.log_figures({"train/loss": losses.mean()})

    def _step(self, lr: Tensor, hr: Tensor) -> Tensor:
        optimizer: Any = self.optimizers()
        scheduler: Any = self.lr_schedulers()
        loss = self._objective(lr, hr)(lr, hr)
        optimizer.zero_grad()
        loss.backward()
        average_gradients(self.net.parameters())
        optimizer.step()
        scheduler.step()
        if self.average:
            self.average.update(self.net, self.age())
        return loss.detach()

    def _objective(self, lr: Tensor, hr: Tensor) -> Objective:
        """Return the objective in the precision of this iteration, recorded as a CUDA graph on a GPU."""
        bf16 = self._precision == "bf16" and not self.in_fp32()
        if bf16 not in self._objectives:
            objective = self.objective(bf16)
            self._objectives = {bf16: captured(objective, lr, hr) if self._capture == "auto" else objective}
        return self._objectives[bf16]

    def age(self) -> int:
        """Return the number of iterations that the weights have been trained."""
        return self.global_step

    def in_fp32(self) -> bool:
        """Return whether training has reached its fp32 part."""
        return self.global_step >= self._fp32_from

    def learns_from(self) -> list[nn.Module]:
        """Return the nets, besides its own, whose weights decide what this task learns."""
        return []

    def facts(self) -> dict[str, Any]:
        """Return further facts of this training for the report, as plain containers."""
        return {"kept_iteration": self.best.iteration} if self.best else {}

    def objective(self, bf16: bool) -> nn.Module:
        """Return the module (lr, hr) -> loss to minimise, with the forward pass in bf16 or fp32."""
        return PixelObjective(self.net, self.loss, bf16=bf16)

    def log_figures(self, figures: Mapping[str, float | Tensor]) -> None:
        """Log figures at the current iteration; Lightning itself would count chunks."""
        self.log_dict({**figures, "step": float(self.global_step)}, batch_size=1)

    def _stop_at(self, position: int, first: int, chunk: list[Batch], losses: Tensor) -> None:
        iteration = first + position
        path = Path(self.trainer.default_root_dir) / f"nonfinite_{iteration}.pt"
        lr, hr = (whole_batch(rows) for rows in chunk[position])
        if process_rank() == 0:
            torch.save({"iteration": iteration, "lr": lr, "hr": hr}, path)
        raise ValueError(
            f"the loss became {losses[position].item()} at iteration {iteration}; its batch is in {path}. "
            f"Lower {self.rates} or use train.precision=fp32; the last checkpoint is from an earlier iteration."
        )

    def on_validation_epoch_start(self) -> None:
        """Reset the metric and prepare the net for whole images."""
        self.quality.reset()
        self.quality.start_empty()
        self.upscale = upscaler(inference_form(self.trained_net()))

    def validation_step(self, pair: ImagePair, index: int) -> None:
        """Score one whole held-out image in fp32; the processes of a training take turns."""
        if index % num_processes() == process_rank():
            add_score(self.quality, self.upscale, pair)

    def on_validation_epoch_end(self) -> None:
        """Log mean PSNR and SSIM, and keep the weights if they are the best so far."""
        means = self.quality.compute()
        self.log_figures({f"val/{name}": mean for name, mean in means.items()})
        if self.best and not self.trainer.sanity_checking:
            self.best.update(self.trained_net(), means[f"psnr_{self.protocol.channel}_db"], self.age())
