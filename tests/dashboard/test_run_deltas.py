"""Runs without their repetition can be put together again."""

import itertools
import json
from typing import Any

import pytest

from sr.dashboard.run_deltas import delta, without_repetition

VALUES = [
    None, 0, 1, 1.5, True, False, "", "text", [], {}, [1, 2, 3], [1, 2, 4], [1], [[1], {"a": 1}], [[2], {"a": 1}],
    {"a": None}, {"a": 0}, {"b": 0}, {"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}], "d": 1}}, {"a": [True]},
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), itertools.product(VALUES, VALUES))
def test_a_value_follows_from_the_one_before_and_the_delta(undo_delta: Any, old: Any, new: Any) -> None:
    change = delta(new, old)
    made = undo_delta(old, change)
    assert made == new and json.dumps(made, sort_keys=True) == json.dumps(new, sort_keys=True)
    assert (change is None) == (json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True))


def test_what_runs_share_is_there_once() -> None:
    runs = [{"id": str(i), "config": {f"key{k}": "long" * 20 for k in range(100)} | {"seed": i}} for i in range(50)]
    packed = without_repetition({"title": "x", "runs": runs})
    assert len(repr(packed)) < 2 * len(repr(runs[0])) and packed["title"] == "x"
