"""The receptive field of a net: how much of the LR image one output pixel can depend on."""

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d

from sr.cost.count import image_channels

PROBE_HEIGHT_PX = 16  # E-RFDN pools 15 rows into one
SMALLEST_PROBE_PX = 32
LARGEST_PROBE_PX = 1024


def receptive_field(net: nn.Module) -> int | None:
    """Find how many LR pixels in a row one output pixel can depend on.

    Measured rather than derived: a column of NaN in the input turns exactly those output columns into NaN that depend
    on it, whatever the weights and activations are. The net is taken to behave alike at every `size_multiple` LR
    pixels, which an inner stride that does not divide it (the pooled attention of E-RFDN) meets only nearly.

    Returns:
        The width in LR pixels, or None where an output depends on the whole image (global pooling) or on more than half
        of 1024 pixels.

    >>> receptive_field(nn.Sequential(nn.Conv2d(3, 8, 5, padding=2), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1)))
    7
    """
    probe = _lightened(copy.deepcopy(net)).double().cpu().eval()
    period = getattr(net, "size_multiple", 1)
    width = SMALLEST_PROBE_PX
    while width <= LARGEST_PROBE_PX:
        middle = width // 2 // period * period
        reached = [_reached(probe, width, middle + phase) for phase in range(period)]
        if all(border_free for _, border_free in reached):
            return _widest([columns for columns, _ in reached], round(period * getattr(net, "scale", 1)), period)
        width *= 2
    return None


class _Spread(nn.Module):
    """A convolution or deconvolution with equal weights: reaches as far as the original at a fraction of its work."""

    def __init__(self, layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
        super().__init__()
        self.groups, self.fan_out = layer.groups, layer.out_channels // layer.groups
        self.kernel: Tensor
        self.register_buffer(
            "kernel", torch.full((layer.groups, 1, *layer.kernel_size), 1 / math.prod(layer.kernel_size))
        )
        self.settings = {name: getattr(layer, name) for name in ("stride", "padding", "dilation", "groups")}
        self.transposed = isinstance(layer, nn.ConvTranspose2d)
        if self.transposed:
            self.settings["output_padding"] = layer.output_padding

    def forward(self, x: Tensor) -> Tensor:
        """Average the channels of each group, spread the average over the kernel, and give it to all outputs."""
        average = x.unflatten(1, (self.groups, -1)).mean(dim=2)
        spread = (conv_transpose2d if self.transposed else conv2d)(average, self.kernel, **self.settings)
        return spread.repeat_interleave(self.fan_out, dim=1)


def _lightened(net: nn.Module) -> nn.Module:
    """Put a `_Spread` in the place of every convolution of a net, in place; the rest stays as it is."""
    if isinstance(net, (nn.Conv2d, nn.ConvTranspose2d)):
        return _Spread(net)
    for name, child in net.named_children():
        setattr(net, name, _lightened(child))
    return net


def _reached(net: nn.Module, width: int, column: int) -> tuple[list[int], bool]:
    """Output columns that depend on one input column, in rising order, and whether none of them is at the border."""
    lr = torch.full((1, image_channels(net), PROBE_HEIGHT_PX, width), 0.5, dtype=torch.float64)
    lr[..., column] = math.nan
    with torch.no_grad():
        hit = torch.isnan(net(lr)).any(dim=2).flatten(0, 1).any(dim=0)
    return hit.nonzero().flatten().tolist(), bool(hit.any()) and not bool(hit[0]) and not bool(hit[-1])


def _widest(reached: list[list[int]], output_period: int, period: int) -> int:
    """Turn "which outputs an input reaches" around into "which inputs an output sees", and take the widest."""
    inputs: dict[int, list[int]] = {}
    for phase, columns in enumerate(reached):
        for column in columns:
            # Output c sees input `phase`, so output c - k * output_period sees input phase - k * period.
            steps, position = divmod(column, output_period)
            inputs.setdefault(position, []).append(phase - steps * period)
    return max(max(positions) - min(positions) + 1 for positions in inputs.values())
