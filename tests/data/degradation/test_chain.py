"""Chains: in their order, the same for the same image, and refused where they cannot work."""

from dataclasses import dataclass

import numpy as np
import pytest

from sr.data.degradation.chain import Degradation, refuse_made_from_hr
from sr.data.degradation.jpeg import Jpeg
from sr.data.degradation.point_sampling import PointSampling
from tests.data.degradation.conftest import X2

STEPS = {"render": PointSampling(kernel="cubic"), "jpeg": Jpeg(quality=[30, 90])}


def degradation(*chain: str, variants: int = 3, **steps) -> Degradation:
    return Degradation(chain=chain, variants=variants, steps=STEPS | steps)


@dataclass(frozen=True)
class Halved:
    """A step that makes LR smaller than it was."""

    from_hr = False

    def check(self):
        """Need nothing."""

    def apply(self, pair, scale, draw):
        return pair.lr[::2, ::2]


def test_an_image_gets_the_same_copies_again_and_each_another_one(pair):
    copies = [degradation("jpeg").degraded(pair, X2, variant, "ab12") for variant in range(6)]
    assert np.array_equal(copies[1], degradation("jpeg").degraded(pair, X2, 1, "ab12"))
    assert len({copy.tobytes() for copy in copies}) > 3  # two may have the same quality by chance
    others = [degradation("jpeg").degraded(pair, X2, variant, "ab13") for variant in range(6)]
    assert len({copy.tobytes() for copy in others} - {copy.tobytes() for copy in copies}) > 3


def test_steps_follow_each_other(pair):
    both = degradation("render", "jpeg").degraded(pair, X2, 0, "0")
    rendered = pair._replace(lr=degradation("render").degraded(pair, X2, 0, "0"))
    assert np.array_equal(both, degradation("jpeg").degraded(rendered, X2, 0, "0"))


def test_the_fingerprint_and_the_label_follow_the_settings():
    chains = [degradation("jpeg"), degradation("render", "jpeg"), degradation("jpeg", jpeg=Jpeg(quality=[30, 91]))]
    assert len({each.fingerprint(X2) for each in chains}) == len({each.label for each in chains}) == 3
    assert degradation("jpeg").fingerprint(X2) == chains[0].fingerprint(X2)
    assert chains[1].label.startswith("render+jpeg_")


def test_an_empty_chain_degrades_nothing(pair):
    assert degradation().is_none and degradation().degraded(pair, X2, 0, "0") is pair.lr


def test_a_step_that_makes_lr_smaller_is_refused_with_the_image(pair):
    with pytest.raises(ValueError, match=r"astronaut: the step halved made uint8 of shape \(24, 32, 3\) .*keep size"):
        degradation("halved", halved=Halved()).degraded(pair, X2, 0, "0")


def test_wrong_chains_are_refused():
    with pytest.raises(ValueError, match=r"chain has vhs; the steps are render, jpeg"):
        degradation("vhs")
    with pytest.raises(ValueError, match=r"render makes the LR image from the HR image, .*put it first"):
        degradation("jpeg", "render")
    with pytest.raises(ValueError, match=r"variants is a whole number from 1 to 1000, got 0"):
        degradation("jpeg", variants=0)


def test_lr_images_that_a_source_brings_are_not_replaced():
    refuse_made_from_hr(degradation("jpeg"), ["mine"])
    refuse_made_from_hr(degradation("render"), [])
    with pytest.raises(ValueError, match=r"the source mine brings its own"):
        refuse_made_from_hr(degradation("render"), ["mine"])
