"""Measure the receptive field of a net in LR pixels."""

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d

from sr.cost.count import image_channels

_PROBE_HEIGHT_PX = 16  # E-RFDN pools 15 rows into one
_SMALLEST_PROBE_PX = 32
_LARGEST_PROBE_PX = 1024


def receptive_field(net: nn.Module) -> int | None:
    """Measure the width of the receptive field of an output pixel.

    A column of NaN in the input makes exactly those output columns NaN that depend on it, for any weights and
    activations. The net is assumed to be periodic with `size_multiple` LR pixels. An inner stride that does not divide
    it (the pooled attention of E-RFDN) satisfies this only approximately.

    Args:
        net: The net in its inference form.

    Returns:
        The width in LR pixels, or None if an output depends on the whole image (global pooling) or on more than 512
        pixels.

    Example:
        >>> receptive_field(nn.Sequential(nn.Conv2d(3, 8, 5, padding=2), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1)))
        7
    """
    probe = _with_cheap_convs(copy.deepcopy(net)).double().cpu().eval()
    period = getattr(net, "size_multiple", 1)
    width = _SMALLEST_PROBE_PX
    while width <= _LARGEST_PROBE_PX:
        middle = width // 2 // period * period
        reached = [_reached(probe, width, middle + phase) for phase in range(period)]
        if all(border_free for _, border_free in reached):
            return _widest([columns for columns, _ in reached], round(period * getattr(net, "scale", 1)), period)
        width *= 2
    return None


class _MeanConv(nn.Module):
    """Convolution or deconvolution with equal weights: the same receptive field with far fewer operations."""

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
        """Average the channels of each group, convolve the average, and copy it to all outputs of the group."""
        average = x.unflatten(1, (self.groups, -1)).mean(dim=2)
        spread = (conv_transpose2d if self.transposed else conv2d)(average, self.kernel, **self.settings)
        return spread.repeat_interleave(self.fan_out, dim=1)


def _with_cheap_convs(net: nn.Module) -> nn.Module:
    """Replace every convolution of a net by a `_MeanConv`, in place."""
    if isinstance(net, (nn.Conv2d, nn.ConvTranspose2d)):
        return _MeanConv(net)
    for name, child in net.named_children():
        setattr(net, name, _with_cheap_convs(child))
    return net


def _reached(net: nn.Module, width: int, column: int) -> tuple[list[int], bool]:
    """Return the output columns that depend on an input column, ascending, and whether none is at the border."""
    lr = torch.full((1, image_channels(net), _PROBE_HEIGHT_PX, width), 0.5, dtype=torch.float64)
    lr[..., column] = math.nan
    with torch.no_grad():
        hit = torch.isnan(net(lr)).any(dim=2).flatten(0, 1).any(dim=0)
    return hit.nonzero().flatten().tolist(), bool(hit.any()) and not bool(hit[0]) and not bool(hit[-1])


def _widest(reached: list[list[int]], output_period: int, period: int) -> int:
    """Invert the map from inputs to outputs, and return the largest width of inputs of one output."""
    inputs: dict[int, list[int]] = {}
    for phase, columns in enumerate(reached):
        for column in columns:
            # Output c sees input `phase`, so output c - k * output_period sees input phase - k * period.
            steps, position = divmod(column, output_period)
            inputs.setdefault(position, []).append(phase - steps * period)
    return max(max(positions) - min(positions) + 1 for positions in inputs.values())
