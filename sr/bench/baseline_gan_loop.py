"""Baseline of adversarial training: a plain PyTorch loop over generator and discriminator."""

import itertools
from collections.abc import Sequence

import torch

from sr.data.patches import Batch
from sr.evaluation import to_network
from sr.functional.resize import as_ratio
from sr.losses.grid_loss import grid_loss
from sr.tasks.gan import Gan


class BaselineGanLoop:
    """Train with a plain PyTorch loop on patches in RAM, one update of each net per iteration.

    Nets, losses, optimizers and schedules are those of a task, in channels-last format. Conversion from bytes, weight
    average (EMA), logging and checks are left out.

    Args:
        task: The task that provides nets, losses and optimizers; `discriminator_updates` counts as 1.
        batches: Pairs (lr, hr) of uint8 RGB patches, used cyclically.
        bf16: Whether the forward passes use bf16 autocast.
        device: Device for training.
    """

    name = "plain PyTorch loop"

    def __init__(self, task: Gan, batches: Sequence[Batch], *, bf16: bool, device: torch.device) -> None:
        self.task, self._bf16, self._device = task.to(device).train(), bf16, device
        self.net = task.net
        parts = task.configure_optimizers()
        self.generator, self.discriminator = (each["optimizer"] for each in parts)
        self.schedulers = [each["lr_scheduler"] for each in parts]
        pool = [tuple(to_network(images.to(device), task.net) for images in batch) for batch in batches]
        self._patches, self._done = itertools.cycle(pool), 0

    def run(self, iterations: int) -> None:
        """Train for a number of further iterations."""
        net, judge, game, weights = self.net, self.task.discriminator, self.task.adversarial, self.task.weights
        for lr, hr in itertools.islice(self._patches, iterations):
            judge.requires_grad_(False)
            with self._cast():
                sr = net(lr)
                fake = judge(sr)
                with torch.no_grad():
                    real = judge(hr) if game.needs_real else None
                perceptual = self.task.perceptual(*self.task.shifted(sr, hr, iteration=self._done))
            loss = weights["content"] * self.task.loss(sr.float(), hr) + weights["perceptual"] * perceptual.float()
            loss = loss + weights["adversarial"] * game.generator(None if real is None else real.float(), fake.float())
            if weights["grid"]:
                loss = loss + weights["grid"] * grid_loss(sr.float(), as_ratio(net.scale).numerator)
            self.generator.zero_grad()
            loss.backward()
            self.generator.step()
            judge.requires_grad_(True)
            with self._cast():
                real, fake = judge(hr), judge(sr.detach())
            self.discriminator.zero_grad()
            game.discriminator(real.float(), fake.float()).backward()
            self.discriminator.step()
            for scheduler in self.schedulers:
                scheduler.step()
            self._done += 1

    def _cast(self) -> torch.autocast:
        return torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._bf16)
