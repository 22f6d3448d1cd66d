"""Standardize pixels with the mean and standard deviation of the training set, inside the net and its exports.

Source: the MESRGAN poster trains on images "normalized with respect to the dataset".

Mean and deviation are measured, not configured. A net starts with identity layers, `standardize_pixels` sets them from
the training images before the first training step, and they are then saved with the weights.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sr.functional.collapse import fold_squeeze
from sr.models.blocks import bias_of

FIRST, LAST = "standardize", "destandardize"
"""Attribute names of the two layers in a net that standardizes."""


def pixel_layer(wanted: bool) -> nn.Conv2d | None:
    """Make a frozen 1x1 convolution of RGB, initialised as the identity; None if not wanted.

    A net has one before its first convolution and one after its last. The first one cannot be folded: the following
    convolution pads with zeros, which equal the mean after standardization. The last one folds exactly.

    Args:
        wanted: Whether the net standardizes.

    Example:
        >>> pixel_layer(False) is None
        True
    """
    if not wanted:
        return None
    layer = nn.Conv2d(3, 3, kernel_size=1)
    _set(layer, torch.ones(3), torch.zeros(3))
    return layer.requires_grad_(False)


def standardize_pixels(net: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
    """Set mean and deviation of a net that standardizes, in place; other nets stay unchanged.

    Args:
        net: A net with or without the layers `standardize` and `destandardize`.
        mean: Mean of the training pixels, one value for each of R, G, B in [0, 1].
        std: Standard deviation of the training pixels, three values above 0.

    Raises:
        ValueError: If there are not three values each, or a deviation is not positive.
    """
    first, last = getattr(net, FIRST, None), getattr(net, LAST, None)
    if first is None or last is None:
        return
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
        raise ValueError(
            f"{type(net).__name__} standardizes pixels and needs three values each for mean and std (std > 0), got "
            f"{list(mean)} and {list(std)}: is a colour of the training images constant? Or model.standardized=false"
        )
    m, s = torch.tensor(mean), torch.tensor(std)
    _set(first, 1 / s, -m / s)
    _set(last, s, m)


def fold_into(last: nn.Conv2d, inverse: nn.Conv2d) -> None:
    """Fold `destandardize` into the convolution before it, in place and exactly.

    Args:
        last: The last convolution of a net.
        inverse: The 1x1 convolution after it.
    """
    weight, bias = fold_squeeze((last.weight, last.bias), (inverse.weight, inverse.bias))
    assert bias is not None
    last.weight, last.bias = nn.Parameter(weight), nn.Parameter(bias)


@torch.no_grad()
def _set(layer: nn.Conv2d, factor: Tensor, offset: Tensor) -> None:
    layer.weight.copy_(torch.diag(factor)[:, :, None, None])
    bias_of(layer).copy_(offset)
