"""The interpolations that recipes use."""

import doctest

import pytest

from sr.rundir import composition


def test_examples():
    assert doctest.testmod(composition).failed == 0


def test_an_interval_that_cuts_a_chunk_is_refused():
    with pytest.raises(ValueError, match=r"1001 iterations is not a multiple of train\.chunk=10"):
        composition.whole_chunks(1001, 10)


def test_a_tail_beyond_the_whole_is_refused():
    with pytest.raises(ValueError, match=r"in \[0, 1\], got 1.5"):
        composition.fp32_from(1000, 1.5)
