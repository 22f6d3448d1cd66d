"""Pixels standardized by the mean and the standard deviation of a data set, inside the net and its exports.

Source: the MESRGAN poster trains on images "normalized with respect to the dataset".
"""

from collections.abc import Sequence

import torch
from torch import nn

from sr.functional.collapse import fold_squeeze
from sr.models.blocks import bias_of


def standardize(net: str, mean: Sequence[float], std: Sequence[float]) -> nn.Conv2d | None:
    """Make a frozen 1x1 convolution RGB in [0, 1] -> (RGB - mean) / std; None where that changes nothing.

    It stays in front of the net: the first convolution pads with zeros, which are the mean there, so that merging the
    two would change the picture's border.

    Args:
        net: Name of the net, for the error.
        mean: One value for each colour, in [0, 1].
        std: One value for each colour, above 0.

    Raises:
        ValueError: not three values each, or a std that is not positive.

    >>> standardize("x", (0, 0, 0), (1, 1, 1)) is None
    True
    """
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
        raise ValueError(
            f"{net} needs three values each for mean and std (std > 0), got {list(mean)} and {list(std)}; "
            "`data.json` of a run tells those of its training images as lr_mean and lr_std"
        )
    return _affine([1 / s for s in std], [-m / s for m, s in zip(mean, std, strict=True)])


def destandardize(mean: Sequence[float], std: Sequence[float]) -> nn.Conv2d | None:
    """Make the inverse of `standardize`, which a net has behind its last convolution; None where it changes nothing."""
    return _affine(std, mean)


def fold_into(last: nn.Conv2d, inverse: nn.Conv2d) -> None:
    """Merge `destandardize` into the convolution before it, in place and exactly."""
    weight, bias = fold_squeeze((last.weight, last.bias), (inverse.weight, inverse.bias))
    assert bias is not None
    last.weight, last.bias = nn.Parameter(weight), nn.Parameter(bias)


@torch.no_grad()
def _affine(factor: Sequence[float], offset: Sequence[float]) -> nn.Conv2d | None:
    if all(f == 1 for f in factor) and not any(offset):
        return None
    layer = nn.Conv2d(3, 3, kernel_size=1)
    layer.weight.copy_(torch.diag(torch.tensor(factor))[:, :, None, None])
    bias_of(layer).copy_(torch.tensor(offset))
    return layer.requires_grad_(False)
