"""Count parameters, MACs and activation memory of a net at any LR size, from shapes alone.

As usual in the field, only layers with weights (convolutions, deconvolutions, linear layers) have MACs. Nearest,
bicubic, FSR1, depth-to-space, activations and additions count as zero. One MAC is one multiply-accumulate, that is two
FLOP.
"""

import math
from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sr.functional.hooks import forward_hooks

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_DECONVOLUTIONS = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
LARGEST_TILE_PX = 16384


class ParameterCount(NamedTuple):
    """Numbers of weights and biases of a net."""

    trainable: int
    frozen: int  # fixed by the architecture: anchors, mean shifts

    @property
    def total(self) -> int:
        """Return the number of all weights and biases."""
        return self.trainable + self.frozen


@dataclass(frozen=True, kw_only=True)
class NetCost:
    """Cost of one forward pass of one image.

    Attributes:
        parameters: Trainable and frozen weights and biases.
        trainable_parameters: Trainable weights and biases, the number that papers report.
        macs_g: Multiply-accumulates in units of 1e9.
        activation_kib: Outputs of all weighted layers together, in KiB.
        peak_layer_kib: Largest sum of input and output of one weighted layer, in KiB. It is a lower bound of the memory
            that a net needs; skip connections are not included.
        lr_height: Rows of the LR image.
        lr_width: Columns of the LR image.
        bytes_per_value: Bytes per activation value: 1 for INT8, 2 for FP16, 4 for FP32.
    """

    parameters: int
    trainable_parameters: int
    macs_g: float
    activation_kib: float
    peak_layer_kib: float
    lr_height: int
    lr_width: int
    bytes_per_value: int

    def to_dict(self) -> dict[str, int | float]:
        """Return the attributes as a dictionary."""
        return asdict(self)


def count_parameters(net: nn.Module) -> ParameterCount:
    """Count the weights and biases of a net; a shared tensor counts once.

    Args:
        net: Any net.

    Returns:
        The numbers of trainable and of frozen weights and biases.

    Example:
        >>> count_parameters(nn.Conv2d(3, 32, 3, padding=1))
        ParameterCount(trainable=896, frozen=0)
    """
    trainable = sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)
    return ParameterCount(trainable, sum(parameter.numel() for parameter in net.parameters()) - trainable)


def image_channels(net: nn.Module) -> int:
    """Return the number of channels of a net's input: 1 if its `color` is "y", else 3.

    Args:
        net: A net; without an attribute `color` it counts as an RGB net.

    Example:
        >>> image_channels(nn.Identity())
        3
    """
    return 1 if getattr(net, "color", "rgb") == "y" else 3


def cost(net: nn.Module, lr_height: int, lr_width: int, *, bytes_per_value: int = 1) -> NetCost:
    """Count the cost of one forward pass at an LR size; no pixel is computed, so a 4K image is as fast as a small one.

    A strided deconvolution is counted as in the FSRCNN paper, one kernel for each input pixel. Other tables count one
    for each output pixel: FSRCNN x2 to 720p then has 6.0 GMAC instead of 2.9.

    Args:
        net: The net in its inference form.
        lr_height: Rows of the LR image.
        lr_width: Columns of the LR image.
        bytes_per_value: Bytes per activation value.

    Returns:
        The cost.

    Raises:
        ValueError: If a layer with weights is not called in the forward pass; the count would be too low.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))
        >>> cost(net, 540, 960).macs_g  # 540 * 960 * 3 * 12 * 9
        0.1679616
    """
    macs, outputs, peak = 0, 0, 0
    for layer, num_in, num_out in _calls(net, lr_height, lr_width):
        macs += _macs(layer, num_in, num_out)
        outputs += num_out
        peak = max(peak, num_in + num_out)
    kib, parameters = bytes_per_value / 1024, count_parameters(net)
    return NetCost(
        parameters=parameters.total,
        trainable_parameters=parameters.trainable,
        macs_g=macs / 1e9,
        activation_kib=outputs * kib,
        peak_layer_kib=peak * kib,
        lr_height=lr_height,
        lr_width=lr_width,
        bytes_per_value=bytes_per_value,
    )


def bytes_moved(net: nn.Module, lr_height: int, lr_width: int, *, batch_size: int, bytes_per_value: int) -> int:
    """Count the bytes that the weighted layers read and write in one forward pass, without any cache.

    These are inputs, outputs and weights. Arithmetic intensity (FLOP per byte) is 2 MACs / bytes moved.

    Args:
        net: The net in its inference form.
        lr_height: Rows of the LR images.
        lr_width: Columns of the LR images.
        batch_size: Images of a batch.
        bytes_per_value: Bytes per value of activations and weights.

    Returns:
        The number of bytes.

    Example:
        >>> bytes_moved(nn.Conv2d(3, 4, 1), 10, 10, batch_size=2, bytes_per_value=4)  # (2 * 100 * (3 + 4) + 16) * 4
        5664
    """
    values = sum(num_in + num_out for _, num_in, num_out in _calls(net, lr_height, lr_width))
    return (batch_size * values + count_parameters(net).total) * bytes_per_value


def _macs(layer: nn.Module, num_in: int, num_out: int) -> int:
    """Return the MACs of one layer: its output values (deconvolution: input values) times the MACs of each."""
    if isinstance(layer, _CONVOLUTIONS):
        return num_out * layer.in_channels // layer.groups * math.prod(layer.kernel_size)
    if isinstance(layer, _DECONVOLUTIONS):
        return num_in * layer.out_channels // layer.groups * math.prod(layer.kernel_size)
    assert isinstance(layer, nn.Linear)
    return num_out * layer.in_features


def _calls(net: nn.Module, lr_height: int, lr_width: int) -> list[tuple[nn.Module, int, int]]:
    """Return (layer, input values, output values) of each call of a weighted layer for one image."""
    calls: list[tuple[nn.Module, int, int]] = []
    weighted = (*_CONVOLUTIONS, *_DECONVOLUTIONS, nn.Linear)
    layers = {name: layer for name, layer in net.named_modules() if isinstance(layer, weighted)}

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        calls.append((layer, inputs[0].numel(), output.numel()))

    # On the meta device a tensor has a shape but no memory.
    tensors = (*net.named_parameters(), *net.named_buffers())
    state = {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors}
    dtype = next((tensor.dtype for tensor in state.values() if tensor.is_floating_point()), torch.float32)
    lr = torch.empty(1, image_channels(net), lr_height, lr_width, dtype=dtype, device="meta")
    was_training = net.training
    try:
        net.eval()  # BatchNorm must not update its statistics
        with torch.no_grad(), forward_hooks((layer, note) for layer in layers.values()):
            functional_call(net, state, (lr,))
    finally:
        net.train(was_training)
    called = {id(layer) for layer, _, _ in calls}
    idle = [name for name, layer in layers.items() if id(layer) not in called]
    if idle:
        raise ValueError(
            f"{type(net).__name__} does not call its layers {', '.join(idle[:4])}{' ...' if len(idle) > 4 else ''}, so "
            "the count would be too low; give its inference form (sr.models.blocks.inference_form)"
        )
    return calls


def largest_tile(net: nn.Module, budget_kib: float, *, bytes_per_value: int = 1) -> int:
    """Return the side in LR pixels of the largest square tile with a peak layer that fits into a memory.

    Args:
        net: The net in its inference form.
        budget_kib: Memory in KiB, for example 8192 for the VTCM of Snapdragon 8 Gen 1.
        bytes_per_value: Bytes per activation value.

    Returns:
        A multiple of `net.size_multiple`, at most 16384; 0 if the smallest tile does not fit.

    Example:
        >>> largest_tile(nn.Conv2d(3, 29, 3, padding=1), 8)  # 16 * 16 * (3 + 29) bytes are 8 KiB
        16
    """
    step = getattr(net, "size_multiple", 1)
    low, high = 0, LARGEST_TILE_PX // step
    while low < high:
        middle = (low + high + 1) // 2
        side = middle * step
        fits = cost(net, side, side, bytes_per_value=bytes_per_value).peak_layer_kib <= budget_kib
        low, high = (middle, high) if fits else (low, middle - 1)
    return low * step
