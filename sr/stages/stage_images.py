"""The images that stages work on, and hashes of them."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from sr.data.degradation.degraded_map import Degraded
from sr.data.pairs import Chain, ImagePair, Selection
from sr.data.pixel_map import PixelMap
from sr.data.video.video_clips import ClipFrames


@dataclass(frozen=True, kw_only=True)
class StageImages:
    """Where stages get images; nothing is read before it is asked for.

    Attributes:
        calibration: (number of batches, their size) -> LR crops (N, 3, h, w) in [0, 1] of training images.
        stream: iteration -> endless uint8 (lr, hr) batches from there on.
        heldout: () -> the images that training is validated on.
        test_sets: () -> {name: images}.
        train_hash: () -> hash of the training and held-out images.
        test_hashes: () -> {set: hash of its images}.
    """

    calibration: Callable[[int, int], list[Tensor]]
    stream: Callable[[int], Iterable[tuple[Tensor, Tensor]]]
    heldout: Callable[[], Sequence[ImagePair]]
    test_sets: Callable[[], Mapping[str, Sequence[ImagePair]]]
    train_hash: Callable[[], str]
    test_hashes: Callable[[], Mapping[str, str]]


def pairs_hash(pairs: Sequence[ImagePair]) -> str:
    """Return a hash of image pairs; of decoded sets the name, which stands for their pixels, else the pixels.

    >>> image = np.zeros((2, 2, 3), np.uint8)
    >>> pairs_hash([ImagePair("a", image, image)]) == pairs_hash([ImagePair("a", image, image + 1)])
    False
    """
    return hashlib.sha256(json.dumps(_content(pairs)).encode()).hexdigest()[:32]


def _content(pairs: Any) -> Any:
    if isinstance(pairs, PixelMap):
        return pairs.folder.name
    if isinstance(pairs, ClipFrames):
        return ["clips", _content(pairs.pairs)]
    if isinstance(pairs, Selection):
        return [_content(pairs.pairs), list(map(int, pairs.indices))]
    if isinstance(pairs, Degraded):
        return [_content(pairs.clean), pairs.recipe]
    if isinstance(pairs, Chain):
        return [_content(part) for part in pairs.parts]
    return [[pair.name, _array_hash(pair.lr), _array_hash(pair.hr)] for pair in pairs]


def _array_hash(array: np.ndarray) -> str:
    return hashlib.sha256(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes()).hexdigest()
