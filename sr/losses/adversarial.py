"""Adversarial losses of generator and discriminator, from logits of real (HR) and fake (SR) images."""

from typing import Protocol

from torch import Tensor
from torch.nn.functional import softplus

from sr.devices.collectives import shared_mean


class Adversarial(Protocol):
    """Interface of an adversarial loss; logits may have any shape."""

    needs_real: bool
    """Whether the generator's loss also needs the logits of real images."""

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        """Return the loss of the generator, a scalar."""
        ...

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the loss of the discriminator, a scalar."""
        ...

    def judgement(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean probability, in [0, 1], of being real that real and fake images get."""
        ...


class Standard:
    """Compute the non-saturating GAN loss, a binary cross-entropy.

    Generator: mean of -log(sigmoid(fake)). Discriminator: half the sum of the cross-entropies of real and fake images.

    Source: Goodfellow et al., arXiv 1406.2661; SRGAN (arXiv 1609.04802) equation 6.

    Example:
        >>> import torch
        >>> round(Standard().generator(None, torch.zeros(2, 1)).item(), 4)  # -log 1/2
        0.6931
    """

    needs_real = False

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        """Return the mean of -log(sigmoid(fake)); `real` is not used."""
        return _as_true(fake)

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the mean of the two cross-entropies."""
        return (_as_true(real) + _as_fake(fake)) / 2

    def judgement(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean probabilities of being real; both are 1/2 at chance level."""
        return real.sigmoid().mean(), fake.sigmoid().mean()


class RelativisticAverage:
    """Compute the relativistic average GAN loss, which compares each logit with the mean of the other class.

    The mean in each term is detached, as in ESRGAN's training code, which takes separate steps for real and fake
    images.

    Source: arXiv 1807.00734; ESRGAN (arXiv 1809.00219) equations 1 and 2, halved as in its code.

    Example:
        >>> import torch
        >>> round(RelativisticAverage().generator(torch.ones(2, 1), torch.ones(2, 1)).item(), 4)
        0.6931
    """

    needs_real = True

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        """Return the loss of the generator; the gradient flows through `fake` only."""
        assert real is not None
        real = real.detach()
        return (_as_fake(real - _mean(fake)) + _as_true(fake - _mean(real))) / 2

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the loss of the discriminator."""
        return (_as_true(real - _mean(fake.detach())) + _as_fake(fake - _mean(real.detach()))) / 2

    def judgement(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean probabilities of being more real than the other mean; both are 1/2 at chance level."""
        return (real - _mean(fake)).sigmoid().mean(), (fake - _mean(real)).sigmoid().mean()


def _mean(logits: Tensor) -> Tensor:
    """Return the mean over the whole batch, of which a process may have a part."""
    return shared_mean(logits.mean())


def _as_true(logits: Tensor) -> Tensor:
    """Return the cross-entropy with label 1: -log(sigmoid(x)) = softplus(-x)."""
    return softplus(-logits).mean()


def _as_fake(logits: Tensor) -> Tensor:
    """Return the cross-entropy with label 0."""
    return softplus(logits).mean()
