"""A wrong setting is refused by the key that a user types."""

import doctest
from typing import Any

import pytest

from sr.config import checks
from sr.config.checks import count, names, number


def test_examples():
    assert doctest.testmod(checks).failed == 0


@pytest.mark.parametrize("value", [0, -4, 2.5, 16.0, "16", True, None])
def test_what_is_no_count_is_refused(value: Any):
    with pytest.raises(ValueError, match=rf"^data\.batch_size is a whole number from 1 on, got {value!r}$"):
        count("data.batch_size", value)


def test_a_count_has_bounds():
    assert (count("seed", 0, least=0, most=3), count("seed", 3, least=0, most=3)) == (0, 3)
    with pytest.raises(ValueError, match="seed is a whole number from 0 to 3, got 4"):
        count("seed", 4, least=0, most=3)


@pytest.mark.parametrize("value", [0, -1, "abc", True, None, float("nan"), float("inf")])
def test_what_is_no_positive_number_is_refused(value: Any):
    with pytest.raises(ValueError, match=rf"^train\.budget is a number above 0, got {value!r}$"):
        number("train.budget", value, above=0)


def test_a_least_number_is_one():
    assert number("data.shrink", 1, least=1) == 1
    with pytest.raises(ValueError, match=r"data\.shrink is a number from 1 on, got 0\.5"):
        number("data.shrink", 0.5, least=1)


def test_a_name_without_brackets_is_refused():
    with pytest.raises(ValueError, match=r"measures is a list, got 'niqe'; write measures=\[niqe\]"):
        names("measures", "niqe")
