"""Pixel losses: the mean of |d|, d^2 or sqrt(d^2 + epsilon^2) over all values, with d = sr - hr in [-1, 1]."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class L1(nn.Module):
    """Compute the mean absolute error of sr and hr (N, C, H, W) in [0, 1].

    Source: QuickSRNet (arXiv 2303.04336) section 3.3.

    Example:
        >>> L1()(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.25)).item()
        0.25
    """

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Return the loss, a scalar in [0, 1]."""
        return F.l1_loss(sr, hr)


class L2(nn.Module):
    """Compute the mean squared error of sr and hr (N, C, H, W) in [0, 1].

    Example:
        >>> L2()(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5)).item()
        0.25
    """

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Return the loss, a scalar in [0, 1]."""
        return F.mse_loss(sr, hr)


class Charbonnier(nn.Module):
    """Compute the Charbonnier loss, a smooth L1: the mean of sqrt(d^2 + epsilon^2).

    Args:
        epsilon: Width of the quadratic part, in units of the [0, 1] range, above 0.

    Raises:
        ValueError: If `epsilon` is not positive.

    Source: XLSR (arXiv 2105.10288) section 3.2, epsilon 0.1.

    Example:
        >>> round(Charbonnier(epsilon=0.3)(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.4)).item(), 6)
        0.5
    """

    def __init__(self, *, epsilon: float) -> None:
        super().__init__()
        if epsilon <= 0:
            raise ValueError(f"Charbonnier needs epsilon > 0, got {epsilon}; use loss=l1 for epsilon = 0")
        self.epsilon = epsilon

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Return the loss, a scalar of at least epsilon."""
        return torch.sqrt((sr - hr).square() + self.epsilon**2).mean()
