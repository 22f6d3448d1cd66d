"""A launcher whose package is missing."""

import pytest

from sr.launch.extra import refuse_missing


def test_the_extra_is_named():
    with pytest.raises(ValueError, match=r"launcher=ray needs the package no_such_ray.*sr-mobile\[cluster\]"):
        refuse_missing("ray", "no_such_ray")
    refuse_missing("joblib", "joblib")
