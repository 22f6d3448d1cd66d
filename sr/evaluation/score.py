"""Score an upscaler on a set of images under a protocol, and refuse what does not compare."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sr import metrics
from sr.data.pairs import ImagePair
from sr.evaluation.upscaler import Upscale, Upscaler
from sr.functional.resize import downscale


@dataclass(frozen=True)
class ImageScore:
    """What one image scored."""

    name: str
    psnr_db: float
    ssim: float


@dataclass(frozen=True)
class Score:
    """What a set of images scored, and under which protocol."""

    protocol: str
    per_image: tuple[ImageScore, ...]

    @property
    def num_images(self) -> int:
        """Images in the set."""
        return len(self.per_image)

    @property
    def psnr_db(self) -> float:
        """Mean PSNR in dB."""
        return float(np.mean([image.psnr_db for image in self.per_image]))

    @property
    def ssim(self) -> float:
        """Mean SSIM."""
        return float(np.mean([image.ssim for image in self.per_image]))

    def to_dict(self) -> dict[str, Any]:
        """Plain containers for JSON, the channel and the unit in the names: psnr_y_db, ssim_y; psnr_rgb_db ..."""
        channel = metrics.protocol(self.protocol).channel

        def named(score: "ImageScore | Score") -> dict[str, Any]:
            return {f"psnr_{channel}_db": score.psnr_db, f"ssim_{channel}": score.ssim}

        per_image = [{"name": image.name, **named(image)} for image in self.per_image]
        return {"protocol": self.protocol, **named(self), "num_images": self.num_images, "per_image": per_image}


def evaluate(
    upscale: Upscale,
    images: Iterable[ImagePair],
    protocol: metrics.Protocol,
    scale: float,
) -> Score:
    """Upscale and score every image of a set.

    Args:
        upscale: an `Upscaler`, or any function lr -> sr on RGB bytes where the protocol does not ask for more.
        images: the set.
        protocol: what to score.
        scale: upscaling factor.

    Raises:
        ValueError: an empty set; a Y net under an RGB protocol; an RGB net under a luma_only protocol; an image that
            cannot be scored, named.
    """
    check_color(upscale, protocol)
    scores = []
    for pair in images:
        try:
            scores.append(ImageScore(pair.name, *score_pair(upscale, pair, protocol, scale)))
        except ValueError as error:
            raise ValueError(f"{pair.name}: {error}") from error
    if not scores:
        raise ValueError("there is no image to evaluate; check the test sets' folder")
    return Score(protocol.name, tuple(scores))


def check_color(upscale: Upscale, protocol: metrics.Protocol) -> None:
    """Refuse a protocol that asks for colours which an upscaler does not make, or for luma that it does not take.

    Raises:
        ValueError: a Y net under an RGB protocol, an RGB net under a luma_only protocol.
    """
    if protocol.channel == "rgb" and getattr(upscale, "color", "rgb") == "y":
        raise ValueError(
            f"protocol {protocol.name!r} scores all colours, and this net upscales luma only (its Cb and Cr are "
            "bicubic): the number would not be the net's; use protocol=y or protocol=y_only"
        )
    if protocol.luma_only and not getattr(upscale, "takes_luma", False):
        raise ValueError(
            f"protocol {protocol.name!r} upscales luma alone, and this net takes RGB images; use protocol=y, which "
            "scores the luma of its RGB output"
        )


def score_pair(upscale: Upscale, pair: ImagePair, protocol: metrics.Protocol, scale: float) -> tuple[float, float]:
    """Upscale and score one image: PSNR in dB and SSIM.

    A luma_only protocol takes an image whose file has one channel as luma itself (Set14's `bridge`; published rows do
    so, and Set14 reads 0.09 dB higher without).

    Args:
        upscale: as `evaluate` takes it.
        pair: the image.
        protocol: what to score.
        scale: upscaling factor.
    """
    if not protocol.luma_only:
        return protocol.score(upscale(pair.lr), pair.hr, scale)
    assert isinstance(upscale, Upscaler)
    truth = pair.hr[..., 0] if pair.one_channel else metrics.luma(pair.hr)
    return protocol.score(upscale.luma(downscale(truth.astype(np.float64), scale)), truth, scale)
