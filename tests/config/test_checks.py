"""A wrong setting is refused by the key that a user types."""

import doctest
import re
from typing import Any

import pytest

from sr.config import checks
from sr.config.checks import as_typed, count, names, number


def test_examples():
    assert doctest.testmod(checks).failed == 0


@pytest.mark.parametrize("value", [0, -4, 2.5, 16.0, "16", True, None])
def test_what_is_no_count_is_refused(value: Any):
    shown = re.escape(as_typed(value))
    with pytest.raises(ValueError, match=rf"^data\.batch_size is a whole number of at least 1, got {shown}"):
        count("data.batch_size", value)


def test_a_count_has_bounds():
    assert (count("seed", 0, least=0, most=3), count("seed", 3, least=0, most=3)) == (0, 3)
    with pytest.raises(ValueError, match="seed is a whole number from 0 to 3, got 4"):
        count("seed", 4, least=0, most=3)


@pytest.mark.parametrize("value", [0, -1, "abc", True, None, float("nan"), float("inf")])
def test_what_is_no_positive_number_is_refused(value: Any):
    shown = re.escape(as_typed(value))
    with pytest.raises(ValueError, match=rf"^train\.budget is a number above 0, got {shown}$"):
        number("train.budget", value, above=0)


def test_a_least_number_is_one():
    assert number("data.shrink", 1, least=1) == 1
    with pytest.raises(ValueError, match=r"data\.shrink is a number of at least 1, got 0\.5"):
        number("data.shrink", 0.5, least=1)


def test_a_name_without_brackets_is_refused():
    with pytest.raises(ValueError, match=r"measures is a list, got 'niqe'; write measures=\[niqe\]"):
        names("measures", "niqe")


def test_a_whole_number_with_an_exponent_is_advised():
    with pytest.raises(
        ValueError, match=r"train\.iterations is a whole number of at least 0, got 1e\+20; write 1000000"
    ):
        count("train.iterations", 1e20, least=0)


def test_bounds_are_told_in_full():
    with pytest.raises(ValueError, match=r"alpha is a number from 0 to 1, got 1\.5"):
        number("alpha", 1.5, least=0, most=1)
    with pytest.raises(ValueError, match=r"train\.ema_decay is a number of at least 0 and below 1, got 1"):
        number("train.ema_decay", 1, least=0, below=1)
