"""Runs of a page in compact form: each as its difference from the run before it.

Neighbours have most of their settings in common, which makes a page of 1000 runs a tenth as large. page/dom.js puts
them together again.
"""

from collections.abc import Mapping
from typing import Any

Delta = list[Any]


def without_repetition(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a page with each of its "runs" as a `delta` from the one before it."""
    before: Any = None
    deltas = []
    for run in content["runs"]:
        deltas.append(delta(run, before))
        before = run
    return {**content, "runs": deltas}


def delta(new: Any, old: Any) -> Delta | None:
    """Return how plain values differ.

    Returns:
        None if they are equal; ["=", value] to replace the old one; ["~", {key: delta}, keys that went] for mappings;
        ["#", {index: delta}] for lists of one length.

    >>> delta({"m": 2, "f": [8, 9]}, {"m": 1, "f": [8, 7], "x": 0})
    ['~', {'m': ['=', 2], 'f': ['#', {'1': ['=', 9]}]}, ['x']]
    """
    if isinstance(new, dict) and isinstance(old, dict):
        parts = {key: found for key, value in new.items() if (found := _of_key(key, value, old)) is not None}
        gone = [key for key in old if key not in new]
        return ["~", parts, gone] if parts or gone else None
    if isinstance(new, list) and isinstance(old, list) and len(new) == len(old) and new:
        changed = {str(i): found for i, value in enumerate(new) if (found := delta(value, old[i])) is not None}
        if 2 * len(changed) > len(new) and not any(isinstance(value, dict | list) for value in new):
            return ["=", new]  # shorter than the changes one by one
        return ["#", changed] if changed else None
    return None if type(new) is type(old) and new == old else ["=", new]


def _of_key(key: str, value: Any, old: Mapping[str, Any]) -> Delta | None:
    return delta(value, old[key]) if key in old else ["=", value]
