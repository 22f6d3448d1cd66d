"""Base class of the nets: the attributes that describe scale, color and allowed sizes."""

from torch import nn


class Net(nn.Module):
    """Super-resolution net: lr (N, C, h, w) in [0, 1] -> sr (N, C, scale * h, scale * w).

    It only declares attributes, which each constructor sets; otherwise it is a plain `nn.Module`.

    Attributes:
        scale: Upscaling factor: 2, 3, 4 or 1.5.
        color: "rgb" (C is 3), or "y" (C is 1, BT.601 limited-range luma).
        size_multiple: Height and width of lr must be multiples of this, in pixels.
        min_size: Smallest height and width of lr, in pixels.
        is_local: Whether an output depends on a part of lr of fixed size, at every offset that `size_multiple` divides.
            A large image is upscaled in tiles then, else in one pass.
    """

    scale: float
    color: str
    size_multiple: int
    min_size: int = 1
    is_local: bool = True
