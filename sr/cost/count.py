"""Parameters, multiplications and activation memory of a net at any LR size, counted without computing anything.

Two things follow the field's custom: only layers with weights (convolutions, deconvolutions, linear layers) are
counted, so nearest, bicubic, FSR1, depth-to-space, activations and additions count as zero multiplications; and a
multiply-accumulate is one MAC, not two operations.
"""

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
DECONVOLUTIONS = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
LARGEST_TILE_PX = 16384


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The counted cost of one forward pass of one image.

    Attributes:
        parameters: Trainable and frozen weights and biases.
        macs_g: Multiply-accumulates in units of 1e9.
        activation_kib: Outputs of all weighted layers together, in KiB.
        peak_layer_kib: Input and output of the weighted layer where both together are largest, in KiB: what must be
            held at least, skip connections not included.
        lr_height: Rows of the LR image that was counted.
        lr_width: Columns of it.
        bytes_per_value: Size of an activation value: 1 for INT8, 2 for FP16, 4 for FP32.
    """

    parameters: int
    macs_g: float
    activation_kib: float
    peak_layer_kib: float
    lr_height: int
    lr_width: int
    bytes_per_value: int

    def to_dict(self) -> dict[str, int | float]:
        """Plain numbers under the attributes' names."""
        return asdict(self)


def parameters(net: nn.Module) -> int:
    """Count the weights and biases of a net; a tensor used twice counts once.

    >>> parameters(nn.Conv2d(3, 32, 3, padding=1))
    896
    """
    return sum(parameter.numel() for parameter in net.parameters())


def image_channels(net: nn.Module) -> int:
    """Channels that a net takes: 1 where its `color` is "y", else 3."""
    return 1 if getattr(net, "color", "rgb") == "y" else 3


def cost(net: nn.Module, lr_height: int, lr_width: int, *, bytes_per_value: int = 1) -> Cost:
    """Count one forward pass at an LR size; only shapes are worked out, so a 4K image costs neither memory nor time.

    A strided deconvolution is counted as the FSRCNN paper does, one kernel for each input pixel. (Counted for each
    output pixel, as other tables do, FSRCNN x2 to 720p has 6.0 GMAC instead of 2.9.)

    Args:
        net: The net in the form that is deployed.
        lr_height: Rows of the LR image.
        lr_width: Columns of the LR image.
        bytes_per_value: Bytes of one activation value.

    Raises:
        ValueError: if a layer with weights takes no part in the forward pass, so that the count would be too low.

    >>> net = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))
    >>> cost(net, 540, 960).macs_g  # 540 * 960 * 3 * 12 * 9
    0.1679616
    """
    macs, outputs, peak = 0, 0, 0
    for layer, num_in, num_out in _calls(net, lr_height, lr_width):
        macs += _macs(layer, num_in, num_out)
        outputs += num_out
        peak = max(peak, num_in + num_out)
    kib = bytes_per_value / 1024
    return Cost(
        parameters=parameters(net),
        macs_g=macs / 1e9,
        activation_kib=outputs * kib,
        peak_layer_kib=peak * kib,
        lr_height=lr_height,
        lr_width=lr_width,
        bytes_per_value=bytes_per_value,
    )


def bytes_moved(net: nn.Module, lr_height: int, lr_width: int, *, batch_size: int, bytes_per_value: int) -> int:
    """Count what the weighted layers read and write in one pass where nothing stays in a cache.

    Inputs, outputs and weights. Twice the multiplications over this is the arithmetic intensity.

    >>> bytes_moved(nn.Conv2d(3, 4, 1), 10, 10, batch_size=2, bytes_per_value=4)  # (2 * 100 * (3 + 4) + 16) * 4
    5664
    """
    values = sum(num_in + num_out for _, num_in, num_out in _calls(net, lr_height, lr_width))
    return (batch_size * values + parameters(net)) * bytes_per_value


def _macs(layer: nn.Module, num_in: int, num_out: int) -> int:
    """MACs of one layer: the values that it walks over, times the weights that each of them meets."""
    if isinstance(layer, CONVOLUTIONS):
        return num_out * layer.in_channels // layer.groups * math.prod(layer.kernel_size)
    if isinstance(layer, DECONVOLUTIONS):
        return num_in * layer.out_channels // layer.groups * math.prod(layer.kernel_size)
    assert isinstance(layer, nn.Linear)
    return num_out * layer.in_features


def _calls(net: nn.Module, lr_height: int, lr_width: int) -> list[tuple[nn.Module, int, int]]:
    """Run the shapes of one image through a net; list (layer, values in, values out) of each weighted layer's calls."""
    calls: list[tuple[nn.Module, int, int]] = []
    weighted = (*CONVOLUTIONS, *DECONVOLUTIONS, nn.Linear)
    layers = {name: layer for name, layer in net.named_modules() if isinstance(layer, weighted)}

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        calls.append((layer, inputs[0].numel(), output.numel()))

    hooks = [layer.register_forward_hook(note) for layer in layers.values()]
    # On the meta device a tensor has a shape and no memory.
    tensors = (*net.named_parameters(), *net.named_buffers())
    state = {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors}
    dtype = next((tensor.dtype for tensor in state.values() if tensor.is_floating_point()), torch.float32)
    lr = torch.empty(1, image_channels(net), lr_height, lr_width, dtype=dtype, device="meta")
    was_training = net.training
    try:
        net.eval()  # BatchNorm must not count shapes as batches
        with torch.no_grad():
            functional_call(net, state, (lr,))
    finally:
        net.train(was_training)
        for hook in hooks:
            hook.remove()
    called = {id(layer) for layer, _, _ in calls}
    idle = [name for name, layer in layers.items() if id(layer) not in called]
    if idle:
        raise ValueError(
            f"{type(net).__name__} does not call its layers {', '.join(idle[:4])}{' ...' if len(idle) > 4 else ''}, so "
            "the count would be too low; give the net in its deployed form (sr.models.blocks.inference_form)"
        )
    return calls


def largest_tile(net: nn.Module, budget_kib: float, *, bytes_per_value: int = 1) -> int:
    """Find the side of the largest square LR tile whose peak layer fits into a memory, in LR pixels.

    Args:
        net: The net in the form that is deployed.
        budget_kib: Memory in KiB, for example 8192 for the VTCM of Snapdragon 8 Gen 1.
        bytes_per_value: Bytes of one activation value.

    Returns:
        A multiple of `net.size_multiple`, at most 16384; 0 if not even the smallest tile fits.
    """
    step = getattr(net, "size_multiple", 1)
    low, high = 0, LARGEST_TILE_PX // step
    while low < high:
        middle = (low + high + 1) // 2
        side = middle * step
        fits = cost(net, side, side, bytes_per_value=bytes_per_value).peak_layer_kib <= budget_kib
        low, high = (middle, high) if fits else (low, middle - 1)
    return low * step
