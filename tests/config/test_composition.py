"""The interpolations that recipes use."""

import doctest

import pytest

from sr.config import composition
from sr.experiment import compose


def test_examples():
    assert doctest.testmod(composition).failed == 0


def test_an_interval_that_cuts_a_chunk_is_refused():
    with pytest.raises(ValueError, match=r"train\.validate_every=1001 is not a multiple of train\.chunk=10"):
        composition.whole_chunks(1001, 10)


def test_the_best_weights_need_a_validation():
    assert composition.kept_weights("last", 10, 20) == "last"
    assert composition.kept_weights("best", 0, 20) == "best", "nothing is trained"
    with pytest.raises(ValueError, match=r"needs a validation, but train.validate_every=20 is more than the 10 iter"):
        composition.kept_weights("best", 10, 20)


def test_a_tail_beyond_the_whole_is_refused():
    with pytest.raises(ValueError, match=r"in \[0, 1\], got 1.5"):
        composition.fp32_from(1000, 1.5)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.iterations=-5", "train.iterations is a number of at least 0, got -5"),
        ("train.iterations=abc", "train.iterations is a number of at least 0, got 'abc'"),
        ("train.budget=0", "train.budget is a number above 0, got 0"),
        ("train.budget=-1", "train.budget is a number above 0, got -1"),
        ("train.chunk=0", "train.chunk is a whole number of at least 1, got 0"),
        ("train.validate_every=0", "train.validate_every is a whole number of at least 1, got 0"),
        ("train.fp32_tail=none", "train.fp32_tail is a number of at least 0, got 'none'"),
    ],
)
def test_a_length_that_is_none_is_refused_by_its_key(override: str, message: str):
    with pytest.raises(ValueError) as caught:
        composition.plain(compose(["logger=none", override]))
    assert str(caught.value) == message


def test_a_recipe_counts_its_epochs_over_images():
    for override, key in (("train.epoch_images=0", "train.epoch_images"), ("data.batch_size=0", "data.batch_size")):
        with pytest.raises(ValueError, match=f"{key} is a whole number of at least 1, got 0"):
            composition.plain(compose(["logger=none", "recipe=xlsr", override]))


def test_a_forgotten_bracket_is_told():
    with pytest.raises(ValueError, match=r"pixel is a list, got 'seed=1'; write pixel=\[seed=1\]"):
        composition.pixel_overrides([], "seed=1")
