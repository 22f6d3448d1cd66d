"""Adversarial training of a net (the generator) that starts from a run with a pixel loss."""

from collections.abc import Callable, Iterable
from math import ceil
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from sr.data.patches import Batch
from sr.devices.collectives import average, average_gradients
from sr.evaluation import to_network
from sr.functional.resize import as_ratio
from sr.losses.adversarial import Adversarial
from sr.losses.grid_loss import grid_loss
from sr.models.discriminators import Discriminator
from sr.models.net import Net
from sr.tasks.regression import Regression

Figures = dict[str, Tensor]


class Gan(Regression):
    """Minimise the sum of content, perceptual and adversarial loss, and train the discriminator in alternation.

    An iteration is one update of the generator, followed by updates of the discriminator with the same images.
    `global_step`, both schedules, checkpoints and the end of training count iterations. The optimizer of the
    discriminator is stepped directly, because Lightning would count its steps. Nothing here draws random numbers.

    Args:
        net: The generator in its training form.
        regression: The other arguments of `Regression`. `loss` is the content loss, `optimizer` and `scheduler` are
            those of the generator, and `precision` is that of the forward passes of all nets.
        discriminator: Net with `min_batch_size`: images (N, 3, H, W) -> logits of any shape.
        adversarial: The adversarial loss.
        perceptual: Module (sr, hr) -> scalar without trainable parameters.
        content_weight: Weight of the content loss.
        perceptual_weight: Weight of the perceptual loss.
        adversarial_weight: Weight of the adversarial loss.
        grid_weight: Weight of the loss on the differences between the sub-pixels of the net's grid; 0 omits it.
        perceptual_shifts: Number of offsets per axis at which the images are cropped for the perceptual loss. Each
            iteration uses the next offset. With 1, the strides of the perceptual net stay aligned with the net's grid.
        batch_size: Images in a training batch, to check it early.
        hr_patch: Side of a training patch in HR pixels, to check it early.
        discriminator_updates: Updates of the discriminator per iteration, above 0. 2 updates twice with the same
            images, 0.5 in every second iteration.
        discriminator_optimizer: Function parameters -> optimizer of the discriminator.
        discriminator_scheduler: Function optimizer -> its schedule, which counts iterations.

    Raises:
        ValueError: If the generator has no weights, a setting is outside its range, the batch is too small for the
            discriminator, or there are more shifts than pixels in a patch; while training, if a loss is not finite.

    Source: SRGAN (arXiv 1609.04802), ESRGAN (arXiv 1809.00219) and its training code.
    """

    rates = "optimizer.lr or task.discriminator_optimizer.lr"

    def __init__(
        self,
        *,
        discriminator: Discriminator,
        adversarial: Adversarial,
        perceptual: nn.Module,
        content_weight: float,
        perceptual_weight: float,
        adversarial_weight: float,
        grid_weight: float,
        perceptual_shifts: int,
        batch_size: int,
        hr_patch: int,
        discriminator_updates: float,
        discriminator_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        discriminator_scheduler: Callable[[Optimizer], LRScheduler],
        net: Net,
        **regression: Any,
    ) -> None:
        if regression.get("keep") == "best":
            raise ValueError("task=gan trades PSNR for texture, so the best PSNR is of its start; give train.keep=last")
        super().__init__(net=net, **regression)
        if not any(parameter.requires_grad for parameter in net.parameters()):
            raise ValueError(f"task=gan trains the net, and {type(net).__name__} has no weights; use task=regression")
        weights = {
            "content": content_weight, "perceptual": perceptual_weight, "adversarial": adversarial_weight,
            "grid": grid_weight,
        }  # fmt: skip
        if min(weights.values()) < 0 or discriminator_updates <= 0 or perceptual_shifts < 1:
            raise ValueError(
                "task=gan needs weights of at least 0, discriminator_updates above 0 and perceptual_shifts of at least "
                f"1, got {weights}, {discriminator_updates} and {perceptual_shifts}"
            )
        if batch_size < discriminator.min_batch_size:
            raise ValueError(
                f"{type(discriminator).__name__} has batch normalization and needs batches of at least "
                f"{discriminator.min_batch_size}, got {batch_size}; raise data.batch_size, or use "
                "task/discriminator=patch, which has none"
            )
        if perceptual_shifts > 1 and perceptual_shifts >= hr_patch:
            raise ValueError(
                f"task.perceptual_shifts={perceptual_shifts} is too large for a patch of {hr_patch} HR pixels; "
                "choose fewer, or raise data.lr_patch"
            )
        self.discriminator = discriminator.to(memory_format=torch.channels_last)
        self.perceptual = perceptual.to(memory_format=torch.channels_last)
        self.adversarial, self.weights, self._updates = adversarial, weights, discriminator_updates
        self._shifts, self._block = perceptual_shifts, as_ratio(net.scale).numerator
        self._make_second = discriminator_optimizer, discriminator_scheduler
        self._bf16 = False

    def configure_optimizers(self) -> Any:
        """Return optimizer and schedule of the generator, then those of the discriminator."""
        make_optimizer, make_scheduler = self._make_second
        second = make_optimizer(self.discriminator.parameters())
        return [super().configure_optimizers(), {"optimizer": second, "lr_scheduler": make_scheduler(second)}]

    def learns_from(self) -> list[nn.Module]:
        """Return the perceptual net."""
        return [self.perceptual]

    def training_step(self, chunk: list[Batch], index: int) -> None:
        """Run one iteration for each batch of uint8 (lr, hr) in the chunk, and log the means of all figures."""
        first, steps = self.global_step, list[Figures]()
        for position, (lr, hr) in enumerate(chunk):
            steps.append(self._iteration(lr, hr, with_norms=position == len(chunk) - 1))
        steps = _averaged(steps)
        losses = torch.stack([step["loss"] + step.get("discriminator", 0) for step in steps])
        if not torch.isfinite(losses).all():
            self._stop_at(int((~torch.isfinite(losses)).nonzero()[0]), first, chunk, losses)
        names = dict.fromkeys(name for step in steps for name in step)
        values = {name: torch.stack([step[name] for step in steps if name in step]) for name in names}
        self.log_figures({f"train/{name}": each.mean() for name, each in values.items()})

    def _iteration(self, lr: Tensor, hr: Tensor, *, with_norms: bool) -> Figures:
        """Update the generator, then the discriminator; `with_norms` also measures the gradient norms."""
        iteration, target = self.global_step, to_network(hr, self.net)
        self._bf16 = self._precision == "bf16" and iteration < self._fp32_from
        sr, figures = self._update_generator(to_network(lr, self.net), target, with_norms)
        num_updates = ceil((iteration + 1) * self._updates) - ceil(iteration * self._updates)
        for _ in range(num_updates):
            figures |= self._update_discriminator(sr, target, with_norms)
        schedulers: Any = self.lr_schedulers()
        for scheduler in schedulers:
            scheduler.step()
        if self.average:
            self.average.update(self.net, self.global_step)
        return figures

    def _autocast(self) -> torch.autocast:
        """Return the autocast of this iteration; `global_step` is already higher when the discriminator trains."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self._bf16)

    def _update_generator(self, lr: Tensor, hr: Tensor, with_norms: bool) -> tuple[Tensor, Figures]:
        optimizers: Any = self.optimizers()  # a list, unlike Lightning's type
        optimizer = optimizers[0]
        with self._autocast():
            sr = self.net(lr)
        terms = self.generator_terms(sr, hr, iteration=self.global_step)
        loss = torch.stack(list(terms.values())).sum()
        optimizer.zero_grad()
        loss.backward()
        average_gradients(self.net.parameters())
        figures = {name: term.detach() for name, term in terms.items()} | {"loss": loss.detach()}
        if with_norms:
            figures["grad_norm_generator"] = _norm(self.net)
        optimizer.step()
        return sr.detach(), figures

    def generator_terms(self, sr: Tensor, hr: Tensor, *, iteration: int) -> Figures:
        """Return the weighted terms of the generator's loss, without gradients for the discriminator.

        Args:
            sr: Output of the generator, (N, C, H, W).
            hr: HR images, (N, C, H, W) in [0, 1].
            iteration: Iteration, which selects the offset of the perceptual loss.

        Returns:
            Scalars "content", "perceptual", "adversarial" and, if it has a weight, "grid".
        """
        self.discriminator.requires_grad_(False)
        with self._autocast():
            fake = self.discriminator(_colours(sr)).float()
            with torch.no_grad():
                real = self.discriminator(_colours(hr)).float() if self.adversarial.needs_real else None
            perceptual = self.perceptual(*self.shifted(sr, hr, iteration=iteration)).float()
        self.discriminator.requires_grad_(True)
        terms = {
            "content": self.loss(sr.float(), hr),
            "perceptual": perceptual,
            "adversarial": self.adversarial.generator(real, fake),
        }
        if self.weights["grid"]:
            terms["grid"] = grid_loss(sr.float(), self._block)
        return {name: self.weights[name] * term for name, term in terms.items()}

    def shifted(self, *images: Tensor, iteration: int) -> list[Tensor]:
        """Crop images at the offset of an iteration; `perceptual_shifts` ** 2 iterations use each offset once.

        Args:
            images: (N, C, H, W) each.
            iteration: Iteration, from 0.

        Returns:
            (N, C, H - n, W - n) each, n = `perceptual_shifts`; the images themselves if it is 1.
        """
        if self._shifts == 1:
            return list(images)
        rounds, left = divmod(iteration, self._shifts)
        top = (3 * left + rounds) % self._shifts  # both axes change in every iteration
        height, width = (side - self._shifts for side in images[0].shape[-2:])
        return [each[..., top : top + height, left : left + width] for each in images]

    def _update_discriminator(self, sr: Tensor, hr: Tensor, with_norms: bool) -> Figures:
        # Lightning's wrapper would count this step as an iteration.
        optimizers: Any = self.optimizers(use_pl_optimizer=False)
        optimizer = optimizers[1]
        with self._autocast():
            real, fake = self.discriminator(_colours(hr)).float(), self.discriminator(_colours(sr)).float()
        loss = self.adversarial.discriminator(real, fake)
        optimizer.zero_grad()
        loss.backward()
        average_gradients(self.discriminator.parameters())
        d_real, d_fake = self.adversarial.judgement(real.detach(), fake.detach())
        figures = {"discriminator": loss.detach(), "d_real": d_real, "d_fake": d_fake}
        if with_norms:
            figures["grad_norm_discriminator"] = _norm(self.discriminator)
        optimizer.step()
        return figures


def _averaged(steps: list[Figures]) -> list[Figures]:
    """Return the means of all figures over the processes of a training."""
    values = average(torch.stack([value.float() for step in steps for value in step.values()])).unbind()
    found = iter(values)
    return [{name: next(found) for name in step} for step in steps]


def _colours(images: Tensor) -> Tensor:
    """Expand luma to three equal channels."""
    return images.expand(-1, 3, -1, -1)


def _norm(net: nn.Module) -> Tensor:
    """Return the norm of the gradient of a net."""
    return get_total_norm([parameter.grad for parameter in net.parameters() if parameter.grad is not None])
