"""Test sets with a degradation in their name, such as `set5_h264_qp32`: fixed copies, the same in every run."""

import re

from sr.data.degradation.camera import Camera
from sr.data.degradation.chain import Degradation
from sr.data.degradation.codec import Codec
from sr.data.degradation.jpeg import Jpeg
from sr.data.degradation.point_sampling import PointSampling
from sr.data.degradation.step import Step

_SUFFIX = re.compile(
    r"(?P<set>.+?)_(?:(?P<codec>h264|hevc)_qp(?P<qp>\d+)(?:-(?P<most_qp>\d+))?"
    r"|jpeg_q(?P<quality>\d+)(?:-(?P<most_quality>\d+))?|(?P<fixed>render|camera))"
)
FIXED: dict[str, Step] = {
    "render": PointSampling(kernel="cubic"),
    "camera": Camera(blur=(0.3, 0.7), read_noise=(0.5, 2), shot_noise=(2, 6), quality=(75, 95)),
}
"""Degradations without numbers in their name. They never change: scores are compared under these names."""


def named_copy(name: str) -> tuple[str, Degradation | None]:
    """Split the name of a test set into the clean set and its degradation.

    Args:
        name: In lower case.

    Returns:
        The name of the clean set, and the degradation; None for a name without one.

    Raises:
        ValueError: If a value in the name is out of range, or this machine cannot do it.

    Example:
        >>> named_copy("bsd100_jpeg_q60")[0], named_copy("set5")
        ('bsd100', ('set5', None))
    """
    found = _SUFFIX.fullmatch(name)
    if found is None:
        return name, None
    try:
        kind, step = _step(found)
        return found["set"], Degradation(chain=[kind], variants=1, steps={kind: step})
    except ValueError as error:
        raise ValueError(f"test set {name!r}: {error}") from error


def _step(found: re.Match[str]) -> tuple[str, Step]:
    if found["fixed"]:
        return found["fixed"], FIXED[found["fixed"]]
    if found["codec"]:
        qp = int(found["qp"]), int(found["most_qp"] or found["qp"])
        return found["codec"], Codec(codecs=(found["codec"],), qp=qp, frames=4, intra_share=0, motion=2)
    return "jpeg", Jpeg(quality=(int(found["quality"]), int(found["most_quality"] or found["quality"])))
