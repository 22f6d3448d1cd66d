"""Inference with a net on images of any size, for evaluation, validation images and saved files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from math import ceil, lcm

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from sr.cost.receptive_field import receptive_field
from sr.evaluation.tiles import WHOLE_PX, tile_strips
from sr.functional.color import rgb_to_y, rgb_to_ycbcr, to_uint8, to_whole_numbers, ycbcr_to_rgb
from sr.functional.resize import as_ratio, bicubic
from sr.models.blocks import inference_form
from sr.models.net import Net

Upscale = Callable[[np.ndarray], np.ndarray]  # (h, w, 3) uint8 -> (H, W, 3) uint8
_WHITE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}


class Upscaler:
    """Upscale uint8 RGB images with a function on tensors.

    A net with color "y" gets luma only; Cb and Cr are upscaled by bicubic. An image is padded by its last row and
    column to a multiple of `size_multiple`, and the result is cropped. The result is clipped and rounded half up.
    An image of more than `WHOLE_PX` pixels goes through the function in tiles, if `field` tells their overlap.

    Args:
        run: Function lr (1, C, h, w) in [0, 1] -> sr (1, C, s*h, s*w); C = 3 for "rgb" and 1 for "y".
        color: "rgb" or "y".
        scale: Upscaling factor.
        size_multiple: Height and width of the input of `run` must be multiples of this.
        device: Device of the input of `run`.
        any_channel: Whether `run` has no weights, so that it accepts luma as well (as a grey image).
        field: Function that returns the receptive field of `run` in LR pixels, or None if it is the whole image.

    Raises:
        ValueError: If the color is unknown; when called, if the image is not uint8 RGB, or the result has a wrong size
            or is not finite.
    """

    def __init__(
        self,
        run: Callable[[Tensor], Tensor],
        *,
        color: str,
        scale: float,
        size_multiple: int = 1,
        device: torch.device | str = "cpu",
        any_channel: bool = False,
        field: Callable[[], int | None] = lambda: None,
    ) -> None:
        if color not in ("rgb", "y"):
            raise ValueError(f"the color of a net must be 'rgb' or 'y', got {color!r}")
        self.color, self.scale, self.size_multiple = color, scale, size_multiple
        self.takes_luma = color == "y" or any_channel
        self._run, self._device = run, torch.device(device)
        self._find_field = field

    @cached_property
    def field(self) -> int | None:
        """Return the receptive field in LR pixels; None if it is unknown or the whole image."""
        return self._find_field()

    def __call__(self, lr: np.ndarray) -> np.ndarray:
        """Upscale lr (h, w, 3) uint8 or uint16 to (ceil(s*h), ceil(s*w), 3) of the same type."""
        return _joined(self.strips(lr))

    def strips(self, lr: np.ndarray) -> Iterator[np.ndarray]:
        """Upscale as a call does, but yield strips of whole rows from top to bottom."""
        if lr.ndim != 3 or lr.shape[2] != 3 or lr.dtype not in _WHITE:
            raise ValueError(
                f"an upscaler needs an RGB image (h, w, 3) of type uint8 or uint16, got {lr.shape} of {lr.dtype}"
            )
        return self._tiled(self._whole, lr)

    def _tiled(self, upscale: Upscale, lr: np.ndarray) -> Iterator[np.ndarray]:
        if lr.shape[0] * lr.shape[1] <= WHOLE_PX or self.field is None:
            yield upscale(lr)
            return
        ratio = as_ratio(self.scale)
        period = lcm(self.size_multiple, ratio.denominator)
        yield from tile_strips(upscale, lr, ratio=ratio, period=period, field=self.field)

    def _whole(self, lr: np.ndarray) -> np.ndarray:
        white = _WHITE[lr.dtype]
        image = torch.from_numpy(np.array(lr.transpose(2, 0, 1), order="C"))[None].to(self._device) / white
        sr = self._run_padded(image) if self.color == "rgb" else self._join(image)
        return to_whole_numbers(sr, white)[0].permute(1, 2, 0).contiguous().cpu().numpy()

    def unrounded_luma(self, lr: np.ndarray) -> np.ndarray:
        """Return the luma of the upscaled image before it is rounded, for a protocol that does not round.

        Args:
            lr: (h, w, 3) uint8 RGB.

        Returns:
            (ceil(s*h), ceil(s*w)) float64 luma on the scale of bytes; RGB is clipped to [0, 1], luma is not.

        Raises:
            ValueError: If a value is not finite.
        """
        return _joined(self._tiled(self._whole_unrounded, lr))

    def _whole_unrounded(self, lr: np.ndarray) -> np.ndarray:
        image = torch.from_numpy(np.array(lr.transpose(2, 0, 1), order="C"))[None].to(self._device) / 255
        y = self._run_padded(rgb_to_y(image)) if self.color == "y" else rgb_to_y(self._run_padded(image).clamp(0, 1))
        if not y.isfinite().all():
            raise ValueError("the upscaled image has pixels that are not finite; the net that made them has diverged")
        return y[0, 0].cpu().double().numpy() * 255

    def luma(self, y: np.ndarray) -> np.ndarray:
        """Upscale luma alone, for a `luma_only` protocol.

        Args:
            y: (h, w) luma as float in [0, 255], not rounded.

        Returns:
            (ceil(s*h), ceil(s*w)) uint8.

        Raises:
            ValueError: If the net was trained on RGB images.
        """
        if not self.takes_luma:
            raise ValueError(
                "this net takes RGB images and cannot upscale luma alone; use protocol=y, which scores the luma of its "
                "RGB output, or a net with color 'y'"
            )
        return _joined(self._tiled(self._whole_luma, y))

    def _whole_luma(self, y: np.ndarray) -> np.ndarray:
        image = torch.from_numpy(y.astype(np.float32))[None, None].to(self._device) / 255
        sr = self._run_padded(image if self.color == "y" else image.expand(-1, 3, -1, -1))
        return to_uint8(sr[0, 0]).cpu().numpy()

    def _join(self, image: Tensor) -> Tensor:
        y, chroma = rgb_to_ycbcr(image).split((1, 2), dim=1)
        return ycbcr_to_rgb(torch.cat((self._run_padded(y), bicubic(chroma, self.scale)), dim=1))

    def _run_padded(self, lr: Tensor) -> Tensor:
        height, width = lr.shape[-2:]
        below, right = (-size % self.size_multiple for size in (height, width))
        padded = pad(lr, (0, right, 0, below), mode="replicate") if below or right else lr
        sr = self._run(padded.contiguous(memory_format=torch.channels_last))
        ratio = as_ratio(self.scale)
        needed = (*lr.shape[:2], ceil((height + below) * ratio), ceil((width + right) * ratio))
        if sr.shape != needed:
            raise ValueError(
                f"the net returned {tuple(sr.shape)} for {tuple(padded.shape)}; x{self.scale:g} needs {needed}"
            )
        return sr[..., : ceil(height * ratio), : ceil(width * ratio)]


def _joined(strips: Iterator[np.ndarray]) -> np.ndarray:
    first, *others = strips
    return np.concatenate((first, *others)) if others else first


def upscaler(net: Net, field_of: Net | None = None) -> Upscaler:
    """Return an upscaler that runs a net on its device in fp32 and evaluation mode, without gradients.

    Args:
        net: The net; each call restores its training mode.
        field_of: The float net of a simulation, with the same receptive field: quantizers hide what measures it.
    """
    first = next(net.parameters(), None)

    def field() -> int | None:
        float_net = field_of or net
        return receptive_field(inference_form(float_net)) if getattr(float_net, "is_local", True) else None

    def run(lr: Tensor) -> Tensor:
        with _evaluating(net), torch.no_grad(), torch.autocast(lr.device.type, enabled=False):
            return net(lr)

    return Upscaler(
        run,
        color=net.color,
        scale=net.scale,
        size_multiple=net.size_multiple,
        device="cpu" if first is None else first.device,
        any_channel=first is None,
        field=field,
    )


@contextmanager
def _evaluating(net: Net) -> Iterator[None]:
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def to_network(images: Tensor, net: Net) -> Tensor:
    """Convert images to the input format of a net: float in [0, 1], RGB or luma, channels last.

    Args:
        images: (N, 3, H, W) uint8 RGB.
        net: The net.

    Returns:
        (N, 3, H, W), or (N, 1, H, W) luma for a Y net.
    """
    scaled = images.to(torch.float32, memory_format=torch.channels_last) / 255
    return rgb_to_y(scaled) if net.color == "y" else scaled
