"""What every net says of itself besides its layers."""

from torch import nn


class Net(nn.Module):
    """A net of this package: lr (N, C, h, w) in [0, 1] -> sr (N, C, scale * h, scale * w).

    Only a promise of attributes, which each constructor sets; everything else is the plain `nn.Module`.

    Attributes:
        scale: 2, 3, 4 or 1.5.
        color: "rgb", C is 3; or "y", one channel of BT.601 limited luma.
        size_multiple: Height and width of lr must be multiples of this.
        min_size: Height and width of lr must be at least this.
    """

    scale: float
    color: str
    size_multiple: int
    min_size: int = 1
