"""Grid loss: penalize the pattern of dots that depth-to-space leaves in adversarial training."""

from torch import Tensor
from torch.nn import functional as F


def grid_loss(sr: Tensor, block: int) -> Tensor:
    """Return the deviation between sub-pixel positions of the mean fine detail and of its mean absolute value.

    Each sub-pixel position (phase) of the block x block grid has its own output channels, and neither a pixel loss, a
    perceptual loss nor a strided discriminator makes them equal. In a photograph, the detail that a small blur removes
    has the same statistics in every phase.

    Args:
        sr: Output of a net, (N, C, H, W) with H and W multiples of `block`.
        block: Side of the grid in pixels, the numerator of the scale.

    Returns:
        A scalar, at least 0: |mean detail of a phase - mean over phases|, averaged over images, channels and phases,
        plus the same for the absolute value of the detail. It is 0 without a grid.

    Source: this project.

    Example:
        >>> import torch
        >>> flat, dots = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)
        >>> dots[:, :, ::2, ::2] = 1
        >>> grid_loss(flat, 2).item(), grid_loss(dots, 2).item() > 0.3
        (0.0, True)
    """
    # Averaging over 2 x 2 twice is the binomial blur of 3 x 3.
    detail = sr - F.avg_pool2d(F.avg_pool2d(F.pad(sr, (1, 1, 1, 1), mode="reflect"), 2, 1), 2, 1)
    phases = F.pixel_unshuffle(detail, block).unflatten(1, (sr.shape[1], block * block))
    return _phase_deviation(phases) + _phase_deviation(phases.abs())


def _phase_deviation(phases: Tensor) -> Tensor:
    """Return the mean absolute deviation of the phases' means from their common mean; phases (N, C, phases, h, w)."""
    means = phases.mean(dim=(3, 4))
    return (means - means.mean(dim=2, keepdim=True)).abs().mean()
