"""Pixels standardized by the mean and the standard deviation of a data set, inside the net and its exports.

Source: the MESRGAN poster trains on images "normalized with respect to the dataset".

Both are measured, not set: a net is made with layers that change nothing, the training images decide them at its first
start, and from there on they are part of its weights.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sr.functional.collapse import fold_squeeze
from sr.models.blocks import bias_of

FIRST, LAST = "standardize", "destandardize"
"""Names of the two layers in every net that has them."""


def pixel_layer(wanted: bool) -> nn.Conv2d | None:
    """Make a frozen 1x1 convolution of RGB that changes nothing yet; None where it is not wanted.

    A net has one in front, which stays there: the first convolution pads with zeros, which are the mean there, so that
    merging the two would change the picture's border; and one behind its last convolution, which merges exactly.

    >>> pixel_layer(False) is None
    True
    """
    if not wanted:
        return None
    layer = nn.Conv2d(3, 3, kernel_size=1)
    _set(layer, torch.ones(3), torch.zeros(3))
    return layer.requires_grad_(False)


def standardize_pixels(net: nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
    """Make a net compute in (RGB - mean) / std, in place; nothing where it does not standardize.

    Args:
        net: With the layers `standardize` and `destandardize`, or without.
        mean: Of the training pixels, one value for each colour, in [0, 1].
        std: Of the training pixels, above 0.

    Raises:
        ValueError: not three values each, or a std that is not positive.
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
    """Merge `destandardize` into the convolution before it, in place and exactly."""
    weight, bias = fold_squeeze((last.weight, last.bias), (inverse.weight, inverse.bias))
    assert bias is not None
    last.weight, last.bias = nn.Parameter(weight), nn.Parameter(bias)


@torch.no_grad()
def _set(layer: nn.Conv2d, factor: Tensor, offset: Tensor) -> None:
    layer.weight.copy_(torch.diag(factor)[:, :, None, None])
    bias_of(layer).copy_(offset)
