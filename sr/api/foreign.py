"""Take a net that this package has never seen: find its scale and colour by a test pass, and make it static modules."""

import copy
from typing import Any

import torch
from torch import Tensor, fx, nn

from sr.api.traced import as_modules
from sr.models.blocks import NUM_CHANNELS, clip, inference_form
from sr.models.net import Net
from sr.quantization.batch_norms import without_batch_norms

SCALES = (1.5, 2, 3, 4)
SIDE_PX = 48  # of the test image: a multiple of all usual strides
SIZE_MULTIPLES = (1, 2, 4, 8)


class ForeignNet(Net):
    """A net from elsewhere; its class is renamed to that of the net.

    Args:
        body: As modules.
        facts: scale, color and size_multiple.
    """

    def __init__(self, body: nn.Module, **facts: Any) -> None:
        super().__init__()
        self.body = body
        self.clip: nn.Module | None = None
        self.scale, self.color, self.size_multiple = facts["scale"], facts["color"], facts["size_multiple"]

    def forward(self, lr: Tensor) -> Tensor:
        """Return sr (N, C, s*h, s*w) of lr (N, C, h, w)."""
        sr = self.body(lr)
        return sr if self.clip is None else self.clip(sr)


def adopt(net: nn.Module, *, scale: float | None = None) -> Net:
    """Return a copy of a net in its inference form that can be quantized and exported, on the CPU.

    The output of a net from elsewhere is clipped to [0, 1], as that of any upscaled image.

    Args:
        net: lr (N, C, h, w) in [0, 1] -> sr (N, C, s*h, s*w) in [0, 1]; C is 3 for RGB, 1 for luma. A net of this
            package, or any module of convolutions, transposed convolutions, activations, additions, concatenations and
            pixel shuffles.
        scale: What the scale must be; None takes what the test pass finds.

    Raises:
        ValueError: Weights that are not numbers, an output of another size, or operations that cannot be quantized.
    """
    refuse_nan(net)
    net = copy.deepcopy(net).eval().cpu()
    if isinstance(net, Net):
        found: Net = inference_form(net).eval()
    else:
        found = wrapped(net)
        found.body = body = as_modules(net)
        if any(isinstance(module, nn.BatchNorm2d) for module in found.modules()):
            found.body = body = as_modules(without_batch_norms(found).get_submodule("body"))
        if not _ends_in_pixels(body):
            found.clip = clip()  # images are clipped anyway, and 8 bits then have steps of 1/255 at most
        _refuse_difference(net, found)
    if scale is not None and abs(scale - found.scale) > 1e-9:
        raise ValueError(f"{type(net).__name__} upscales by {found.scale:g}, not by the scale={scale:g} asked for")
    return found


def wrapped(net: nn.Module) -> Net:
    """Return a net with its scale, colour and size multiple, as `describe` finds them.

    Args:
        net: Any module on the CPU.

    Raises:
        ValueError: As in `describe`.
    """
    return type(type(net).__name__, (ForeignNet,), {})(net, **describe(net)).eval()


def _ends_in_pixels(body: fx.GraphModule) -> bool:
    """Return whether the last module that computes limits the output to [0, 1]."""
    modules = [body.get_submodule(str(node.target)) for node in body.graph.find_nodes(op="call_module")]
    module = next((each for each in reversed(modules) if not isinstance(each, nn.PixelShuffle)), None)
    clips = isinstance(module, nn.Hardtanh) and module.min_val >= 0 and module.max_val <= 1
    return clips or isinstance(module, nn.Sigmoid)


def refuse_nan(net: nn.Module) -> None:
    """Raise ValueError for weights that are not finite."""
    for name, value in net.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ValueError(f"{name} of {type(net).__name__} holds values that are not numbers; train it again")


def describe(net: nn.Module) -> dict[str, Any]:
    """Find scale, colour and size multiple of a net by test passes.

    Returns:
        {"scale", "color", "size_multiple"}.

    Raises:
        ValueError: It takes neither RGB nor luma, or its output is not the image at a scale of `SCALES`.

    >>> describe(nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.PixelShuffle(2)))
    {'scale': 2, 'color': 'y', 'size_multiple': 1}
    """
    color, sr = _first_pass(net)
    lr = torch.Size((1, NUM_CHANNELS[color], SIDE_PX, SIDE_PX))
    scale = next((each for each in SCALES if sr == (1, lr[1], SIDE_PX * each, SIDE_PX * each)), None)
    if scale is None:
        raise ValueError(
            f"{type(net).__name__} makes {tuple(sr)} of {tuple(lr)}: the output must have the channels of the image, "
            f"and sides of {', '.join(f'{each:g}' for each in SCALES)} times its sides"
        )
    for multiple in SIZE_MULTIPLES:
        side = SIDE_PX - multiple
        if _size(net, color, side) == (1, lr[1], round(side * scale), round(side * scale)):
            return {"scale": scale, "color": color, "size_multiple": multiple}
    raise ValueError(f"{type(net).__name__} takes {SIDE_PX} pixels a side, but not {SIDE_PX - SIZE_MULTIPLES[-1]}")


def _first_pass(net: nn.Module) -> tuple[str, torch.Size]:
    """Return the colour that a net takes, and the size of its output."""
    for color in NUM_CHANNELS:
        try:
            return color, _pass(net, color, SIDE_PX)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
    raise ValueError(
        f"{type(net).__name__} takes neither RGB nor luma images of {SIDE_PX} pixels a side: {reason[:200]}"
    )


def _size(net: nn.Module, color: str, side: int) -> torch.Size | None:
    try:
        return _pass(net, color, side)
    except (RuntimeError, ValueError):
        return None


def _pass(net: nn.Module, color: str, side: int) -> torch.Size:
    with torch.no_grad():
        sr = net(torch.full((1, NUM_CHANNELS[color], side, side), 0.5))
    if not isinstance(sr, Tensor):
        raise ValueError(f"{type(net).__name__} returns a {type(sr).__name__}; it must return the image alone")
    return sr.shape


def _refuse_difference(net: nn.Module, found: Net) -> None:
    """Compare the net as modules with the original on noise."""
    noise = torch.rand(1, NUM_CHANNELS[found.color], SIDE_PX, SIDE_PX, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        if not torch.allclose(net(noise).clamp(0, 1), found(noise).clamp(0, 1), atol=1e-5):
            raise ValueError(
                f"{type(net).__name__} as modules computes something else: its forward depends on more than the image"
            )
