"""A chain of degradation steps, and the random numbers that make the copies of each image."""

import hashlib
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from sr.config.checks import count, names
from sr.data.degradation.step import ClipStep, Step
from sr.data.pairs import ImagePair
from sr.functional.resize import crop_to_multiple, downscale

_SEED = 20
"""Of all copies: they do not depend on the seed of a training, so that all runs share them."""


class Degradation:
    """Steps that are applied to the LR images one after the other.

    Each image gets a fixed number of degraded copies. The random numbers of a copy depend on its number and on the HR
    pixels alone, so an image has the same copies in every set and run.

    Args:
        chain: Names of steps in their order; empty for clean images.
        variants: Copies of each training image.
        steps: The steps by name; those that the chain does not name are not used.

    Raises:
        ValueError: If a step is unknown, comes after others although it starts from the HR image, or cannot work here.
    """

    def __init__(self, *, chain: Sequence[str], variants: int, steps: Mapping[str, Step]) -> None:
        unknown = [name for name in names("data.degradation.chain", chain) if name not in steps]
        if unknown:
            raise ValueError(f"data.degradation.chain has {', '.join(unknown)}; the steps are {', '.join(steps)}")
        if late := [name for name in chain[1:] if steps[name].from_hr]:
            raise ValueError(
                f"data.degradation.chain={list(chain)}: {late[0]} makes the LR image from the HR image, which would "
                "undo the steps before it; put it first"
            )
        self.variants = count("data.degradation.variants", variants, most=1000)
        self.names = tuple(chain)
        self.steps = [steps[name] for name in chain]
        for step in self.steps:
            step.check()

    @property
    def is_none(self) -> bool:
        """Whether nothing is degraded."""
        return not self.steps

    @property
    def from_hr(self) -> bool:
        """Whether the LR images are made from the HR images."""
        return any(step.from_hr for step in self.steps)

    @property
    def label(self) -> str:
        """Return the steps and four hex digits of their settings, such as "camera+codec_1f0c"."""
        settings = hashlib.sha256(repr(self.steps).encode()).hexdigest()[:4]
        return f"{'+'.join(self.names)}_{settings}"

    def degraded(self, pair: ImagePair, scale: Fraction, variant: int, seed: str) -> np.ndarray:
        """Return a degraded copy of an LR image.

        Args:
            pair: The clean images.
            scale: HR size / LR size.
            variant: Number of the copy, from 0.
            seed: Hex digits that stand for the image.

        Returns:
            (h, w, 3) uint8, of the size of `pair.lr`.

        Raises:
            ValueError: If a step cannot degrade this image, or changed its size.
        """
        draw = np.random.default_rng([_SEED, variant, int(seed, 16)])
        made = pair
        for name, step in zip(self.names, self.steps, strict=True):
            made = _replaced(made, step.apply(made, scale, draw), name)
        return made.lr

    def degraded_clip(self, pairs: Sequence[ImagePair], scale: Fraction, seeds: Sequence[str]) -> list[np.ndarray]:
        """Return degraded LR images of consecutive frames; a codec encodes them as one stream.

        Args:
            pairs: The clean frames.
            scale: HR size / LR size.
            seeds: Hex digits that stand for each frame.

        Raises:
            ValueError: As `degraded`, or if the frames have several sizes.
        """
        draws = [np.random.default_rng([_SEED, 0, int(seed, 16)]) for seed in seeds]
        made = list(pairs)
        for name, step in zip(self.names, self.steps, strict=True):
            if isinstance(step, ClipStep):
                frames = step.apply_clip(made, draws[0])
            else:
                frames = [step.apply(pair, scale, draw) for pair, draw in zip(made, draws, strict=True)]
            made = [_replaced(pair, lr, name) for pair, lr in zip(made, frames, strict=True)]
        return [pair.lr for pair in made]

    def fingerprint(self, scale: Fraction) -> str:
        """Return a hash that changes with the settings, and with the results of the libraries that do the work."""
        row, column, channel = np.ogrid[:96, :144, :3]
        image = ((row * 37 + column * 61 + row * column * 5 // 96 + channel * 89) % 256).astype(np.uint8)
        hr = crop_to_multiple(image, scale)
        pair = ImagePair("fingerprint", downscale(hr, scale), hr)
        digest = hashlib.sha256(repr([self.names, self.steps, str(scale)]).encode())
        for variant in range(4):
            digest.update(self.degraded(pair, scale, variant, "0").tobytes())
        return digest.hexdigest()


def _replaced(pair: ImagePair, lr: np.ndarray, step: str) -> ImagePair:
    """Return a pair with another LR image, of the same size."""
    if lr.shape != pair.lr.shape or lr.dtype != np.uint8:
        raise ValueError(
            f"{pair.name}: the step {step} made {lr.dtype} of shape {lr.shape} from the LR image of shape "
            f"{pair.lr.shape}; a step must keep size and kind"
        )
    return pair._replace(lr=lr)


def refuse_made_from_hr(degradation: Degradation, sources: Sequence[str]) -> None:
    """Raise ValueError if a step makes the LR images of sources that bring their own.

    Args:
        degradation: The steps.
        sources: Paths of the sources that name LR images.
    """
    if degradation.from_hr and sources:
        raise ValueError(
            f"data.degradation.chain={list(degradation.names)} makes the LR images from the HR images, but the source "
            f"{sources[0]} brings its own, which would not be used: remove its `lr`, or that step from the chain"
        )
