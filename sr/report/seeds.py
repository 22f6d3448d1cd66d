"""Runs that differ only in their seed, as one row: mean and standard deviation."""

import math
import re
import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple


class Spread(NamedTuple):
    """A number over several seeds; `std` is the sample standard deviation, nan where a seed has no finite number."""

    mean: float
    std: float

    def __format__(self, specification: str) -> str:
        """Format both numbers, such as 31.61 +- 0.02."""
        # A sign belongs to the mean, and a deviation of a whole number is none.
        mean = f"{self.mean:{specification.replace('d', '.0f')}}"
        if math.isnan(self.std):
            return mean
        return f"{mean} +- {self.std:{specification.lstrip('+z').replace('d', '.1f')}}"


def without_seed(run: str) -> str:
    """Return the common name of runs that differ only in their seed.

    >>> without_seed("m_5-seed_1")
    'm_5'
    """
    return re.sub(r"(^|-)seed_\d+", "", run).strip("-") or run


def fold(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fold the rows of equal `group` into one, in the order of their first.

    A number that all share stays, others become a `Spread`; a text that differs is left out; `num_seeds` counts.
    """
    groups: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["group"], []).append(row)
    return [_fold(group) for group in groups.values()]


def _fold(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Fold one group."""
    keys = dict.fromkeys(key for row in rows for key in row)
    folded = {key: _fold_values([row[key] for row in rows if row.get(key) is not None]) for key in keys}
    if len(rows) > 1 and "run" in rows[0]:  # what is no run's, such as bicubic, has no name
        folded["run"] = without_seed(rows[0]["run"])
        folded["short_run"] = None  # it would be one seed's
    return folded | {"num_seeds": len(rows)}


def _fold_values(values: list[Any]) -> Any:
    """Return one value for many."""
    if not values or all(value == values[0] for value in values):
        return values[0] if values else None
    if all(isinstance(value, (int, float)) for value in values):
        if all(map(math.isfinite, values)):
            return Spread(statistics.fmean(values), statistics.stdev(values))
        return Spread(sum(values) / len(values), math.nan)  # two equal pictures have an infinite PSNR
    return None
