"""LR images as a video stream delivers them: H.264 and HEVC by PyAV, intra and inter frames of short clips."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import avg_pool2d, interpolate

from sr.config.checks import count, names, number
from sr.data.degradation.step import draw_whole, interval
from sr.data.pairs import ImagePair
from sr.data.video.source_video import import_av
from sr.functional.color import rgb_to_ycbcr, to_uint8, ycbcr_to_rgb

ENCODERS = {"h264": "libx264", "hevc": "libx265"}
"""Name of a codec -> FFmpeg's encoder of it; the decoder has the codec's name."""
PRESET = "veryfast"
"""Of both encoders: at a constant QP it changes the rate more than the artefacts."""
LARGEST_QP = 51
_KEY = "data.degradation.steps.codec"
_LEAST_SIDE = 64
"""Smallest side in pixels that is encoded: smaller images are padded, because x265 refuses them."""


@dataclass(frozen=True, kw_only=True)
class Codec:
    """Encode and decode an LR image as a frame of a short clip, at a quantization parameter of a range.

    The other frames of the clip are the same image in motion, moved by whole HR pixels. An inter frame is therefore
    predicted from a neighbour that is coded itself, as in a stream.

    Args:
        codecs: Codecs to choose from, of `ENCODERS`.
        qp: Lowest and highest quantization parameter, 0 to 51; higher is worse.
        frames: Frames of a clip, 1 to 32.
        intra_share: Share of the images that are coded as a single intra frame; 0 to 1.
        motion: Largest motion between two frames in HR pixels, in each direction.

    Raises:
        ValueError: If a setting is invalid.
    """

    codecs: Sequence[str]
    qp: Sequence[float]
    frames: int
    intra_share: float
    motion: int
    from_hr = False

    def __post_init__(self) -> None:
        if not self.codecs or (
            unknown := [name for name in names(f"{_KEY}.codecs", self.codecs) if name not in ENCODERS]
        ):
            raise ValueError(
                f"{_KEY}.codecs is a list of {', '.join(ENCODERS)}, got {unknown if self.codecs else '[]'}"
            )
        interval(f"{_KEY}.qp", self.qp, least=0, most=LARGEST_QP)
        count(f"{_KEY}.frames", self.frames, most=32)
        number(f"{_KEY}.intra_share", self.intra_share, least=0, most=1)
        count(f"{_KEY}.motion", self.motion, least=0, most=64)

    def check(self) -> None:
        """Raise ValueError if PyAV is missing, or was built without an encoder."""
        for name in self.codecs:
            check_codec(name)

    def apply(self, pair: ImagePair, scale: Fraction, draw: np.random.Generator) -> np.ndarray:
        """See `Step.apply`."""
        name = self.codecs[int(draw.integers(len(self.codecs)))]
        qp = draw_whole(draw, (self.qp[0], self.qp[1]))
        length = 1 if draw.random() < self.intra_share else self.frames
        shown = int(draw.integers(1, length)) if length > 1 else 0
        motion = draw.integers(-self.motion, self.motion + 1, 2).tolist()
        clip = [moved(pair, motion, t - shown) for t in range(length)]
        return coded_frames(clip, name, qp)[shown]

    def apply_clip(self, pairs: Sequence[ImagePair], draw: np.random.Generator) -> list[np.ndarray]:
        """See `ClipStep.apply_clip`; the frames are coded as the stream that they are."""
        name = self.codecs[int(draw.integers(len(self.codecs)))]
        return coded_frames([pair.lr for pair in pairs], name, draw_whole(draw, (self.qp[0], self.qp[1])))


def check_codec(name: str) -> None:
    """Raise ValueError if a codec cannot be encoded or decoded here.

    Args:
        name: A key of `ENCODERS`.
    """
    av = import_av()
    for codec, mode in ((ENCODERS[name], "w"), (name, "r")):
        try:
            av.codec.Codec(codec, mode)
        except (av.error.FFmpegError, ValueError) as error:  # PyAV has an own error for an unknown codec
            raise ValueError(
                f"this PyAV ({av.__version__}) lacks {codec}, which {name} needs ({error}): install the wheel of PyAV "
                f"(pip install 'sr-mobile[video]'), or choose other codecs: {_KEY}.codecs"
            ) from error


def moved(pair: ImagePair, motion: Sequence[int], steps: int) -> np.ndarray:
    """Return the LR image of a pair whose HR image moved; the degraded LR image itself where nothing moved.

    Args:
        pair: The images.
        motion: HR pixels per step, down and to the right.
        steps: Number of steps; 0 for the frame that is kept.
    """
    if not steps or not any(motion):
        return pair.lr
    shifted = np.roll(pair.hr, [steps * motion[0], steps * motion[1]], (0, 1))
    size = pair.lr.shape[1], pair.lr.shape[0]
    return np.array(Image.fromarray(shifted).resize(size, Image.Resampling.BICUBIC))


def coded_frames(frames: Sequence[np.ndarray], name: str, qp: int) -> list[np.ndarray]:
    """Encode a clip and decode it again.

    One thread encodes, so that the result depends on the pixels and the version of the encoder only. The colours are
    BT.601 in limited range with 4:2:0 chroma, as in streams of these sizes.

    Args:
        frames: (h, w, 3) uint8, all of one size.
        name: A key of `ENCODERS`.
        qp: Constant quantization parameter of P frames, 0 to 51.

    Returns:
        As many frames of the same size.

    Raises:
        ValueError: If the frames have several sizes, or the codec is missing.
    """
    sizes = sorted({frame.shape[:2] for frame in frames})
    if len(sizes) > 1:
        found = ", ".join(f"{width}x{height}" for height, width in sizes)
        raise ValueError(f"the frames of a clip must have one size, got {found}; split the clip where its size changes")
    check_codec(name)
    height, width = sizes[0]
    planes = [_to_planes(frame) for frame in frames]
    decoded = _decoded(name, _encoded(name, qp, planes))
    assert len(decoded) == len(frames), (name, len(decoded), len(frames))
    return [_from_planes(each)[:height, :width] for each in decoded]


def _encoded(name: str, qp: int, planes: Sequence[np.ndarray]) -> list[Any]:
    av = import_av()
    encoder = av.CodecContext.create(ENCODERS[name], "w")
    encoder.height, encoder.width = planes[0].shape[0] * 2 // 3, planes[0].shape[1]
    encoder.pix_fmt, encoder.time_base, encoder.framerate = "yuv420p", Fraction(1, 25), Fraction(25)
    encoder.thread_count = 1
    x265 = {"x265-params": f"qp={qp}:pools=none:frame-threads=1:log-level=none"}
    encoder.options = {"preset": PRESET, **({"qp": str(qp)} if name == "h264" else x265)}
    packets = []
    for number_, plane in enumerate(planes):
        frame = av.VideoFrame.from_ndarray(plane, "yuv420p")
        frame.pts, frame.time_base = number_, encoder.time_base
        packets += encoder.encode(frame)
    return [*packets, *encoder.encode(None)]


def _decoded(name: str, packets: Sequence[Any]) -> list[np.ndarray]:
    decoder = import_av().CodecContext.create(name, "r")
    decoder.thread_count = 1
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return [frame.to_ndarray() for frame in sorted(frames, key=lambda frame: frame.pts)]


def _to_planes(rgb: np.ndarray) -> np.ndarray:
    """Convert (h, w, 3) to planes of yuv420p, (3 h / 2, w), padded to even sides of at least `_LEAST_SIDE`.

    swscale's default rounds down by up to a level, which a net would learn to undo; this rounds to the nearest.
    """
    missing = [max(_LEAST_SIDE, side + side % 2) - side for side in rgb.shape[:2]]
    padded = np.pad(rgb, ((0, missing[0]), (0, missing[1]), (0, 0)), "edge")
    image = rgb_to_ycbcr(torch.from_numpy(padded.transpose(2, 0, 1).astype(np.float32))[None] / 255)
    luma, chroma = to_uint8(image[:, :1]), to_uint8(avg_pool2d(image[:, 1:], 2))
    return np.concatenate([luma.numpy().ravel(), chroma.numpy().ravel()]).reshape(-1, padded.shape[1])


def _from_planes(planes: np.ndarray) -> np.ndarray:
    """Convert planes of yuv420p to (h, w, 3); chroma is enlarged linearly."""
    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    flat = torch.from_numpy(planes.astype(np.float32) / 255).ravel()
    luma, chroma = flat[: height * width].view(1, 1, height, width), flat[height * width :]
    chroma = interpolate(chroma.view(1, 2, height // 2, width // 2), scale_factor=2, mode="bilinear")
    return to_uint8(ycbcr_to_rgb(torch.cat([luma, chroma], 1)))[0].permute(1, 2, 0).numpy()
