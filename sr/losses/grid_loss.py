"""What keeps a net's sub-pixels together: without it adversarial training turns edges into rows of dots."""

from torch import Tensor
from torch.nn import functional as F


def grid_loss(sr: Tensor, block: int) -> Tensor:
    """How far the sub-pixels of a block are apart in their fine detail, whatever the picture shows.

    Each sub-pixel (phase) of the block x block grid comes from output channels of its own, and nothing in a pixel loss,
    a perceptual loss or a discriminator's strides asks them to be alike. A true photograph does not know where the grid
    lies: over an image, what is left after a small blur has the same mean and the same mean size in every phase.

    Args:
        sr: What a net made, (N, C, H, W) with H and W multiples of `block`.
        block: Side of the grid in pixels, the numerator of the scale.

    Returns:
        Mean over images, colours and phases of the distance of a phase's mean detail from that of all phases, plus the
        same for the mean size of the detail; 0 where there is no grid.

    Source: ours.

    >>> import torch
    >>> flat, dots = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)
    >>> dots[:, :, ::2, ::2] = 1
    >>> grid_loss(flat, 2).item(), grid_loss(dots, 2).item() > 0.3
    (0.0, True)
    """
    # Two means of 2 x 2 are the binomial blur of 3 x 3.
    detail = sr - F.avg_pool2d(F.avg_pool2d(F.pad(sr, (1, 1, 1, 1), mode="reflect"), 2, 1), 2, 1)
    phases = F.pixel_unshuffle(detail, block).unflatten(1, (sr.shape[1], block * block))
    return _apart(phases) + _apart(phases.abs())


def _apart(phases: Tensor) -> Tensor:
    """Mean distance of the phases' means (N, C, phases, h, w) from their common mean."""
    means = phases.mean(dim=(3, 4))
    return (means - means.mean(dim=2, keepdim=True)).abs().mean()
