"""Adversarial losses: what the discriminator's logits of true (real) and upscaled (fake) images tell both sides."""

from typing import Protocol

from torch import Tensor
from torch.nn.functional import softplus


class Adversarial(Protocol):
    """A game: a loss for each side, both small where that side wins; logits of any shape."""

    needs_real: bool
    """Whether the generator's loss looks at true images, too."""

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        """What the generator minimises."""
        ...

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the discriminator minimises."""
        ...

    def judgement(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Mean probability, in [0, 1], that true images (first) and upscaled ones (second) are taken for true."""
        ...


class Standard:
    """Binary cross-entropy, with the generator's own target "true" (not saturating).

    Source: Goodfellow et al., arXiv 1406.2661; SRGAN (arXiv 1609.04802) equation 6.

    >>> import torch
    >>> round(Standard().generator(None, torch.zeros(2, 1)).item(), 4)  # -log 1/2
    0.6931
    """

    needs_real = False

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        """Mean of -log(sigmoid(fake)); no true image is looked at."""
        return _as_true(fake)

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Mean of the two cross-entropies."""
        return (_as_true(real) + _as_fake(fake)) / 2

    def judgement(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Mean probabilities, both 1/2 where the discriminator cannot tell."""
        return real.sigmoid().mean(), fake.sigmoid().mean()


class RelativisticAverage:
    """Is a true image more real than the upscaled ones are on average, and the other way round?

    In each term the average that it is measured against is a constant, as in ESRGAN's training code: the gradient is
    that of its separate steps for true and fake images.

    Source: arXiv 1807.00734; ESRGAN (arXiv 1809.00219) equations 1 and 2, halved as in its code.

    >>> import torch
    >>> round(RelativisticAverage().generator(torch.ones(2, 1), torch.ones(2, 1)).item(), 4)
    0.6931
    """

    needs_real = True

    def generator(self, real: Tensor | None, fake: Tensor) -> Tensor:
        """Small where the fakes look more real than the true images; the gradient goes through `fake` alone."""
        assert real is not None
        real = real.detach()
        return (_as_fake(real - fake.mean()) + _as_true(fake - real.mean())) / 2

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Small where the true images look more real than the fakes."""
        return (_as_true(real - fake.detach().mean()) + _as_fake(fake - real.detach().mean())) / 2

    def judgement(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """Mean probabilities of being truer than the others' average, both 1/2 where the discriminator cannot tell."""
        return (real - fake.mean()).sigmoid().mean(), (fake - real.mean()).sigmoid().mean()


def _as_true(logits: Tensor) -> Tensor:
    """Cross-entropy to the label 1: -log(sigmoid(x)) = softplus(-x)."""
    return softplus(-logits).mean()


def _as_fake(logits: Tensor) -> Tensor:
    """Cross-entropy to the label 0."""
    return softplus(logits).mean()
