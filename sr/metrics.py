"""Evaluation protocols: the exact definition of a PSNR or SSIM, with a name that is stored beside each number."""

from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat

from sr.functional.color import image_luma, rgb_to_y
from sr.functional.quality import psnr_and_ssim


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Evaluation protocol for PSNR and SSIM. Numbers of different protocols are not comparable.

    RGB scores are about 2 dB below luma scores. In every protocol, `border` pixels are cropped on each side, the peak
    is 255, and the score of a set is the mean of the scores of its images. A grey image counts as an RGB image with
    three equal channels, unless `luma_only`.

    PSNR = 10 log10(255^2 / MSE), where MSE is the mean over the channels and the pixels within the border.

    Args:
        name: Name in configs and reports.
        channel: "y" for luma (BT.601, limited range), "rgb" for all three channels.
        luma_only: Whether only luma is upscaled. The HR luma is then rounded to bytes (a file with one channel is used
            as luma), the LR luma is made from it by bicubic without rounding, and the SR luma is rounded.
        rounded: Whether SR is rounded to bytes before it is scored. If not, the luma of the unrounded SR is compared
            with the unrounded luma of HR.
        crop: Pixels to crop on each side; None for the scale, rounded up.
        description: Description in one line.
    """

    name: str
    channel: Literal["y", "rgb"]
    luma_only: bool
    rounded: bool = True
    crop: int | None = None
    description: str

    def border(self, scale: float) -> int:
        """Return the number of pixels cropped on each side of the HR image.

        Args:
            scale: Upscaling factor.
        """
        return ceil(scale) if self.crop is None else self.crop

    @property
    def num_channels(self) -> int:
        """Number of channels of the images that `score` compares."""
        return 1 if self.luma_only or not self.rounded else 3

    def score(self, sr: Tensor, hr: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        """Return PSNR and SSIM of each image of a batch.

        Args:
            sr: (N, C, H, W) uint8, C = `num_channels`; floating point luma in [0, 255] if not `rounded`.
            hr: The HR images, same shape and type.
            scale: Upscaling factor of `sr`.

        Returns:
            PSNR in dB (N,), infinite for images that are equal within the border, and SSIM (N,); float64.

        Raises:
            ValueError: If the shapes or types do not match each other or the protocol, or the images have fewer than 11
                pixels within the border.
        """
        needed = (len(hr), self.num_channels, *hr.shape[-2:])
        if sr.shape != needed or hr.shape != needed:
            raise ValueError(
                f"protocol {self.name!r} compares two images of shape {needed}, got SR {tuple(sr.shape)} and HR "
                f"{tuple(hr.shape)}; check that both are for x{scale:g} and for this protocol"
            )
        if self.rounded and (sr.dtype != torch.uint8 or hr.dtype != torch.uint8):
            raise ValueError(f"scores need uint8 images, got {sr.dtype} and {hr.dtype}; convert them with `to_uint8`")
        height, width = hr.shape[-2:]
        self.check_size(height, width, scale)
        border = self.border(scale)
        inside = (..., slice(border, height - border), slice(border, width - border))
        return psnr_and_ssim(sr[inside], hr[inside], 255.0, self._values)

    def named(self, psnr_db: float, ssim: float) -> dict[str, float]:
        """Return a PSNR in dB and an SSIM under the names that reports use.

        Example:
            >>> protocol("y").named(30.5, 0.9)
            {'psnr_y_db': 30.5, 'ssim_y': 0.9}
        """
        return {f"psnr_{self.channel}_db": psnr_db, f"ssim_{self.channel}": ssim}

    def check_size(self, height: int, width: int, scale: float) -> None:
        """Raise ValueError if an HR image is too small for a score.

        Args:
            height: Height of the HR image in pixels.
            width: Width of the HR image in pixels.
            scale: Upscaling factor.

        Raises:
            ValueError: If a side has fewer than 11 pixels within the border.
        """
        border = self.border(scale)
        if min(height, width) < 11 + 2 * border:
            raise ValueError(
                f"an image of {height}x{width} pixels is too small to score at x{scale:g}: the 11x11 window of SSIM "
                f"and a border of {border} need at least {11 + 2 * border} pixels per side"
            )

    def _values(self, images: Tensor) -> Tensor:
        images = images.double()
        return rgb_to_y(images / 255) * 255 if self.channel == "y" and images.shape[1] == 3 else images


def luma(image: np.ndarray) -> np.ndarray:
    """Return the luma of an image rounded half up to bytes, the HR image of the protocol "y_only".

    Args:
        image: (H, W, 3) uint8 RGB.

    Returns:
        (H, W) uint8 in [16, 235].

    Example:
        >>> luma(np.full((1, 1, 3), 255, np.uint8))
        array([[235]], dtype=uint8)
    """
    return np.floor(image_luma(image) + 0.5).astype(np.uint8)


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="y",
            channel="y",
            luma_only=False,
            description="LR and SR are RGB bytes; luma (BT.601, 16-235) is not rounded; border = scale",
        ),
        Protocol(
            name="y_only",
            channel="y",
            luma_only=True,
            description="classical tables: only luma is upscaled, LR is not rounded, grey = luma; border = scale",
        ),
        Protocol(
            name="rgb",
            channel="rgb",
            luma_only=False,
            description="LR and SR are RGB bytes, all channels count; border = scale",
        ),
        Protocol(
            name="rgb_crop1",
            channel="rgb",
            luma_only=False,
            crop=1,
            description="ABPN and the TensorFlow challenges: RGB bytes, all channels count; border = 1",
        ),
        Protocol(
            name="tf_y",
            channel="y",
            luma_only=False,
            rounded=False,
            crop=0,
            description="SESR: tf.image.psnr of luma (BT.601, 16-235), nothing is rounded but LR; border = 0",
        ),
    )
}


def protocol(name: str) -> Protocol:
    """Return the protocol of a name.

    Args:
        name: "y", "y_only", "rgb", "rgb_crop1" or "tf_y".

    Raises:
        ValueError: If the name is unknown; the message lists the known names.

    Example:
        >>> protocol("y").border(1.5)
        2
    """
    if name not in PROTOCOLS:
        known = "; ".join(f"{p.name} ({p.description})" for p in PROTOCOLS.values())
        raise ValueError(f"unknown protocol {name!r}; known: {known}")
    return PROTOCOLS[name]


class SRQuality(Metric):
    """Compute the mean PSNR and SSIM over images under a protocol, also across processes.

    The states hold one score for each image. They are lists of CPU tensors, because some devices lack float64.

    Args:
        protocol: The evaluation protocol.
        scale: Upscaling factor of the images.
        settings: Arguments of torchmetrics' `Metric`, such as sync_on_compute.
    """

    higher_is_better = True
    psnr_db: list[Tensor]
    ssim: list[Tensor]

    def __init__(self, *, protocol: Protocol, scale: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.protocol = protocol
        self.scale = scale
        for name in ("psnr_db", "ssim"):
            self.add_state(name, [], dist_reduce_fx="cat")

    def start_empty(self) -> None:
        """Add scores of no image, so that a process without an image has tensors of the same type as the others."""
        for scores in (self.psnr_db, self.ssim):
            scores.append(torch.empty(0, dtype=torch.float64))

    def update(self, sr: Tensor, hr: Tensor) -> None:
        """Add a batch of images.

        Args:
            sr: (N, C, H, W), as in `Protocol.score`.
            hr: The HR images, same shape.
        """
        decibels, similarity = self.protocol.score(sr, hr, self.scale)
        self.psnr_db.append(decibels)
        self.ssim.append(similarity)

    def compute(self) -> dict[str, float]:
        """Return the means so far: `psnr_y_db` and `ssim_y`, or `psnr_rgb_db` and `ssim_rgb`."""
        means = (float(np.mean(dim_zero_cat(state).numpy())) for state in (self.psnr_db, self.ssim))
        return self.protocol.named(*means)
