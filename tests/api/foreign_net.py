"""The net of `conftest`, in a file of its own, as `sr export foreign_net.py:Foreign` reads it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Foreign(nn.Module):
    """Of `channels` and `scale`: a skip connection, one ReLU for two calls, a functional pixel shuffle and clip."""

    def __init__(self, *, channels: int = 3, scale: int = 2, f: int = 8) -> None:
        super().__init__()
        self.head, self.body = nn.Conv2d(channels, f, 3, padding=1), nn.Conv2d(f, f, 3, padding=1)
        self.tail = nn.Conv2d(f, channels * scale**2, 3, padding=1)
        self.act, self.block = nn.ReLU(), scale

    def forward(self, x: Tensor) -> Tensor:
        """Upscale."""
        y = self.act(self.head(x))
        return torch.clamp(F.pixel_shuffle(self.tail(self.act(self.body(y)) + y), self.block), 0, 1)


def build(channels: int = 3) -> Foreign:
    """Make the net with weights of its own."""
    torch.manual_seed(0)
    return Foreign(channels=channels)


NOT_A_NET = "text"
