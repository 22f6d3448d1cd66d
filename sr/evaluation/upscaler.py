"""Upscale whole images with a net: one path for evaluation, validation pictures and saved files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from sr.functional.color import rgb_to_y, rgb_to_ycbcr, to_uint8, ycbcr_to_rgb
from sr.functional.resize import as_ratio, bicubic
from sr.models.net import Net

Upscale = Callable[[np.ndarray], np.ndarray]  # (h, w, 3) uint8 -> (H, W, 3) uint8


class Upscaler:
    """RGB bytes in, RGB bytes out, through a function on tensors; the one place that knows how a Y net treats colour.

    A net of colour "y" gets luma only; Cb and Cr are enlarged by bicubic. Images whose sides are no multiples of
    `size_multiple` are padded with their last row and column, and the result is cropped. The result is clipped and
    rounded half up.

    Args:
        run: lr (1, C, h, w) in [0, 1] -> sr (1, C, s*h, s*w), C = 3 for colour "rgb" and 1 for "y".
        color: "rgb" or "y".
        scale: upscaling factor.
        size_multiple: what `run` needs the height and the width to be multiples of.
        device: where `run` wants its images.
        any_channel: `run` has learned nothing of colour and treats luma as it treats a grey picture.

    Raises:
        ValueError: unknown colour; when called: not an RGB image of bytes, a result of a wrong size or not finite.
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
    ) -> None:
        if color not in ("rgb", "y"):
            raise ValueError(f"a net's color is 'rgb' or 'y', got {color!r}")
        self.color, self.scale, self.size_multiple = color, scale, size_multiple
        self.takes_luma = color == "y" or any_channel
        self._run, self._device = run, torch.device(device)

    def __call__(self, lr: np.ndarray) -> np.ndarray:
        """Upscale lr (h, w, 3) uint8 to (ceil(s*h), ceil(s*w), 3) uint8."""
        if lr.ndim != 3 or lr.shape[2] != 3 or lr.dtype != np.uint8:
            raise ValueError(f"an RGB image (h, w, 3) of type uint8 is needed, got {lr.shape} of {lr.dtype}")
        image = torch.from_numpy(np.array(lr.transpose(2, 0, 1), order="C"))[None].to(self._device) / 255
        sr = self._run_padded(image) if self.color == "rgb" else self._join(image)
        return to_uint8(sr)[0].permute(1, 2, 0).contiguous().cpu().numpy()

    def luma(self, y: np.ndarray) -> np.ndarray:
        """Upscale luma alone, as the classical protocol wants it.

        Args:
            y: (h, w) floating point in [0, 255], not rounded.

        Returns:
            (ceil(s*h), ceil(s*w)) uint8.

        Raises:
            ValueError: if the net has learned from RGB images: it has no answer for luma alone.
        """
        if not self.takes_luma:
            raise ValueError(
                "luma alone is to be upscaled, and this net takes RGB images; use protocol=y, which scores the luma of "
                "its RGB output, or a net of color 'y'"
            )
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
            raise ValueError(f"the net made {tuple(sr.shape)} of {tuple(padded.shape)}, x{self.scale:g} needs {needed}")
        return sr[..., : ceil(height * ratio), : ceil(width * ratio)]


def upscaler(net: Net) -> Upscaler:
    """Wrap a net for whole-image inference: its device, fp32, no gradients, evaluation mode (restored after each call).

    Args:
        net: with attributes `scale`, `color` and `size_multiple`.
    """
    first = next(net.parameters(), None)

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
    """What a net is fed, and trained towards: floats in [0, 1] of its own colour, channels last.

    Args:
        images: (N, 3, H, W) uint8 RGB.
        net: with attribute `color`.

    Returns:
        (N, 3, H, W), or (N, 1, H, W) luma for a Y net.
    """
    scaled = images.to(torch.float32, memory_format=torch.channels_last) / 255
    return rgb_to_y(scaled) if net.color == "y" else scaled
