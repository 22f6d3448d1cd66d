"""Grid of settings: overrides with several values become one list of overrides for each combination."""

import itertools
import re
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser

_SPAN = re.compile(r"(\d+)\.\.(\d+)")
_MAX_NETS = 10_000


def expand_grid(overrides: Sequence[str]) -> list[tuple[list[str], dict[str, str]]]:
    """Return the overrides of each point of a grid, and those that differ between the points.

    Args:
        overrides: Overrides of which some have several values: a,b or 0..3 or Hydra's range(0,4) and choice(a,b).

    Raises:
        ValueError: A span is empty, or the grid has too many points.

    >>> [varied for _, varied in expand_grid(["scale=3", "model.f=16,32", "model.m=0..1"])]
    [{'f': '16', 'm': '0'}, {'f': '16', 'm': '1'}, {'f': '32', 'm': '0'}, {'f': '32', 'm': '1'}]
    """
    choices = [_choices(text) for text in overrides]
    total = 1
    for found in choices:
        total *= len(found)
    if total > _MAX_NETS:
        raise ValueError(f"the grid has {total} nets, at most {_MAX_NETS} are estimated at once; give fewer values")
    points = []
    for point in itertools.product(*choices):
        varied = [text.split("=", 1) for text, found in zip(point, choices, strict=True) if len(found) > 1]
        points.append((list(point), {key.lstrip("+").removeprefix("model."): value for key, value in varied}))
    return points


def _choices(text: str) -> list[str]:
    key, _, value = text.partition("=")
    override = OverridesParser.create().parse_override(f"{key}={_SPAN.sub(_spelled_out, value)}")
    if not override.is_sweep_override():
        return [text]
    return [f"{key}={each}" for each in override.sweep_string_iterator()]


def _spelled_out(span: re.Match[str]) -> str:
    first, last = int(span[1]), int(span[2])
    if first > last:
        raise ValueError(f"{span[0]} has no values: its end is below its start; write {last}..{first}")
    if last - first >= _MAX_NETS:
        raise ValueError(f"{span[0]} has {last - first + 1} values, at most {_MAX_NETS} are estimated at once")
    return ",".join(str(value) for value in range(first, last + 1))
