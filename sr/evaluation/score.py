"""Scores of an upscaler on a set of images under an evaluation protocol."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sr import metrics
from sr.data.pairs import ImagePair
from sr.data.video.video_clips import ClipFrames
from sr.evaluation.flicker import Flicker
from sr.evaluation.upscaler import Upscale, Upscaler
from sr.functional.color import image_luma
from sr.functional.resize import downscale


@dataclass(frozen=True)
class ImageScore:
    """PSNR in dB and SSIM of one image."""

    name: str
    psnr_db: float
    ssim: float


@dataclass(frozen=True)
class Score:
    """Mean PSNR in dB and mean SSIM of a set of images under a protocol, and the score of each image.

    `flicker` is that of a set of clips, see `Flicker`; None for still images.
    """

    protocol: str
    psnr_db: float
    ssim: float
    per_image: tuple[ImageScore, ...]
    flicker: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain containers for JSON, with the channel and the unit in the names (`psnr_y_db`, `ssim_y`)."""
        named = metrics.protocol(self.protocol).named
        return {
            "protocol": self.protocol,
            **named(self.psnr_db, self.ssim),
            "num_images": len(self.per_image),
            **({} if self.flicker is None else {"flicker": self.flicker}),
            "per_image": [{"name": each.name, **named(each.psnr_db, each.ssim)} for each in self.per_image],
        }


def evaluate(
    upscale: Upscale,
    images: Iterable[ImagePair],
    protocol: metrics.Protocol,
    scale: float,
) -> Score:
    """Upscale and score every image of a set.

    Args:
        upscale: An `Upscaler`, or any function lr -> sr on uint8 images if the protocol is `rounded`, not `luma_only`.
        images: The image pairs; of `ClipFrames` the flicker is measured as well, if the protocol scores RGB bytes.
        protocol: The evaluation protocol.
        scale: Upscaling factor.

    Raises:
        ValueError: If the set is empty, the protocol does not fit the net's colours, or an image cannot be scored; the
            message names the image.
    """
    check_color(upscale, protocol)
    # The images are those of this process, also where it trains with others.
    quality = metrics.SRQuality(protocol=protocol, scale=scale, sync_on_compute=False)
    names = []
    has_flicker = isinstance(images, ClipFrames) and protocol.rounded and not protocol.luma_only
    flicker = Flicker() if has_flicker else None
    for pair in images:
        try:
            add_score(quality, upscale, pair, flicker)
        except ValueError as error:
            raise ValueError(f"{pair.name}: {error}") from error
        names.append(pair.name)
    if not names:
        raise ValueError("there is no image to evaluate; check the test sets' folder")
    mean_psnr_db, mean_ssim = quality.compute().values()
    scores = zip(names, quality.psnr_db, quality.ssim, strict=True)
    per_image = tuple(ImageScore(name, psnr_db.item(), ssim.item()) for name, psnr_db, ssim in scores)
    return Score(protocol.name, mean_psnr_db, mean_ssim, per_image, flicker.mean() if flicker else None)


def check_color(upscale: Upscale, protocol: metrics.Protocol) -> None:
    """Raise ValueError if a protocol needs colours that a net does not produce, or luma that it does not accept.

    Args:
        upscale: The upscaler.
        protocol: The evaluation protocol.

    Raises:
        ValueError: If a Y net is scored under an RGB protocol, an RGB net under a `luma_only` protocol, or a function
            that returns bytes under a protocol that is not `rounded`.
    """
    if protocol.channel == "rgb" and getattr(upscale, "color", "rgb") == "y":
        raise ValueError(
            f"protocol {protocol.name!r} scores all colours, and this net upscales luma only (Cb and Cr are upscaled "
            "by bicubic); use protocol=y, y_only or tf_y"
        )
    if not (protocol.rounded or isinstance(upscale, Upscaler)):
        raise ValueError(
            f"protocol {protocol.name!r} scores the image before it is rounded, which needs a net or an `Upscaler`; a "
            "function that returns bytes can be scored with protocol=y"
        )
    if protocol.luma_only and not getattr(upscale, "takes_luma", False):
        raise ValueError(
            f"protocol {protocol.name!r} upscales luma alone, and this net takes RGB images; use protocol=y, which "
            "scores the luma of its RGB output"
        )


def add_score(quality: metrics.SRQuality, upscale: Upscale, pair: ImagePair, flicker: Flicker | None = None) -> None:
    """Upscale one image and add its PSNR and SSIM to a metric.

    Under a `luma_only` protocol, a file with one channel is used as luma without conversion. Published tables do so;
    Set14 (image `bridge`) scores 0.09 dB higher otherwise.

    Args:
        quality: The metric, which holds the protocol and the scale.
        upscale: As in `evaluate`.
        pair: The image pair.
        flicker: What the frame of a clip is added to as well.

    Raises:
        ValueError: If the image cannot be upscaled or scored.
    """
    if quality.protocol.rounded and not quality.protocol.luma_only:
        sr = upscale(pair.lr)
        quality.update(_batch(sr), _batch(pair.hr))
        if flicker is not None:
            flicker.add(sr, pair.hr, pair.name.rpartition("/")[0])
        return
    assert isinstance(upscale, Upscaler)
    if not quality.protocol.rounded:
        quality.update(_batch(upscale.unrounded_luma(pair.lr)), _batch(image_luma(pair.hr)))
        return
    hr = pair.hr[..., 0] if pair.one_channel else metrics.luma(pair.hr)
    lr = downscale(hr.astype(np.float64), quality.scale)
    quality.update(_batch(upscale.luma(lr)), _batch(hr))


def _batch(image: np.ndarray) -> Tensor:
    """Convert (H, W[, C]) to (1, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(np.atleast_3d(image).transpose(2, 0, 1)))[None]
