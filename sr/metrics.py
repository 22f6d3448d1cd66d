"""Evaluation protocols: what exactly a PSNR or an SSIM was taken of, under a name that travels with the number."""

from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

from sr.functional.color import rgb_to_y
from sr.functional.quality import psnr, ssim


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How images are scored. Numbers of different protocols do not compare: RGB reads 2 dB below luma.

    In every protocol `border` pixels are cut off each side, the peak is 255, and the value of a set is the mean over
    its images of the image's own value. A grey image is an RGB image of three equal channels, unless `luma_only`.

    Args:
        name: the word for it in configurations and reports.
        channel: "y": luma of BT.601 in limited range; "rgb": all three channels.
        luma_only: nothing but luma is ever upscaled. The HR luma is rounded to bytes (a file with one channel is its
            own luma), the LR luma is made from it by bicubic and not rounded, the SR luma is rounded.
        description: one line for people.
    """

    name: str
    channel: Literal["y", "rgb"]
    luma_only: bool
    description: str

    def border(self, scale: float) -> int:
        """Pixels cut off each side of the HR image before scoring: the scale, rounded up."""
        return ceil(scale)

    def score(self, sr: np.ndarray, hr: np.ndarray, scale: float) -> tuple[float, float]:
        """Score one image.

        Args:
            sr: (H, W, 3) uint8; (H, W) uint8, luma, if the protocol is luma_only.
            hr: the true image, like sr.
            scale: upscaling factor that made sr.

        Returns:
            PSNR in dB (infinite if the images are equal within the border) and SSIM.

        Raises:
            ValueError: if the shapes do not fit each other or the protocol, or the image is too small.
        """
        needed = (*hr.shape[:2],) if self.luma_only else (*hr.shape[:2], 3)
        if sr.shape != needed or hr.shape != needed:
            raise ValueError(
                f"protocol {self.name!r} compares two images of shape {needed}, got SR {sr.shape} and HR {hr.shape}; "
                f"are both of x{scale:g}, and is the protocol the one that they were made for?"
            )
        decibels, similarity = self.score_batch(_batch(sr), _batch(hr), scale)
        return decibels.item(), similarity.item()

    def score_batch(self, sr: Tensor, hr: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        """Score a batch of equally large images.

        Args:
            sr: (N, 3, H, W) uint8; (N, 1, H, W) if the protocol is luma_only.
            hr: like sr.
            scale: upscaling factor that made sr.

        Returns:
            PSNR in dB (N,) and SSIM (N,), float64.

        Raises:
            ValueError: if the images are not uint8, or smaller than 11 pixels within the border.
        """
        border = self.border(scale)
        self.check_size(hr.shape[-2], hr.shape[-1], scale)
        if sr.dtype != torch.uint8 or hr.dtype != torch.uint8:
            raise ValueError(f"scores are taken of bytes, as saved, got {sr.dtype} and {hr.dtype}; use `to_uint8`")
        a, b = (self._values(images)[..., border:-border, border:-border] for images in (sr, hr))
        return psnr(a, b, 255.0), ssim(a, b, 255.0)

    def check_size(self, height: int, width: int, scale: float) -> None:
        """Refuse an HR image that is too small to be scored.

        Raises:
            ValueError: fewer than 11 pixels a side within the border.
        """
        border = self.border(scale)
        if min(height, width) < 11 + 2 * border:
            raise ValueError(
                f"an image of {height}x{width} pixels is too small to score at x{scale:g}: the 11x11 window of SSIM "
                f"and a border of {border} need at least {11 + 2 * border} pixels a side"
            )

    def _values(self, images: Tensor) -> Tensor:
        images = images.double()
        return rgb_to_y(images / 255) * 255 if self.channel == "y" and not self.luma_only else images


def _batch(image: np.ndarray) -> Tensor:
    """(H, W[, C]) -> (1, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(np.atleast_3d(image).transpose(2, 0, 1)))[None]


def luma(image: np.ndarray) -> np.ndarray:
    """Luma in bytes, as the classical protocol works on it: Y rounded half up.

    Args:
        image: (H, W, 3) uint8.

    Returns:
        (H, W) uint8, in [16, 235].
    """
    y = rgb_to_y(_batch(image).double() / 255)[0, 0] * 255
    return (y + 0.5).floor().to(torch.uint8).numpy()


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="y",
            channel="y",
            luma_only=False,
            description="LR and SR are RGB bytes; luma (BT.601, 16-235) kept as float; border = scale",
        ),
        Protocol(
            name="y_only",
            channel="y",
            luma_only=True,
            description="classical tables: luma alone is processed, LR not rounded, grey = raw luma; border = scale",
        ),
        Protocol(
            name="rgb",
            channel="rgb",
            luma_only=False,
            description="LR and SR are RGB bytes, scored over all channels; border = scale",
        ),
    )
}


def protocol(name: str) -> Protocol:
    """Look a protocol up.

    Raises:
        ValueError: for an unknown name, with the known ones.
    """
    if name not in PROTOCOLS:
        known = "; ".join(f"{p.name} ({p.description})" for p in PROTOCOLS.values())
        raise ValueError(f"unknown protocol {name!r}; known: {known}")
    return PROTOCOLS[name]


class SRQuality(Metric):
    """Mean over images of PSNR and SSIM under a protocol; sums across processes.

    Args:
        protocol: what to score.
        scale: upscaling factor of the images.
    """

    higher_is_better = True
    psnr_sum: Tensor
    ssim_sum: Tensor
    num_images: Tensor

    def __init__(self, *, protocol: Protocol, scale: float) -> None:
        super().__init__()
        self.protocol = protocol
        self.scale = scale
        for name in ("psnr_sum", "ssim_sum"):
            self.add_state(name, torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("num_images", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, sr: Tensor, hr: Tensor) -> None:
        """Add a batch of uint8 images, as `Protocol.score_batch` takes them."""
        decibels, similarity = self.protocol.score_batch(sr, hr, self.scale)
        self.psnr_sum += decibels.sum()
        self.ssim_sum += similarity.sum()
        self.num_images += len(decibels)

    def compute(self) -> dict[str, Tensor]:
        """Means so far: `psnr_y_db` and `ssim_y`, or `psnr_rgb_db` and `ssim_rgb`."""
        channel = self.protocol.channel
        return {
            f"psnr_{channel}_db": self.psnr_sum / self.num_images,
            f"ssim_{channel}": self.ssim_sum / self.num_images,
        }
