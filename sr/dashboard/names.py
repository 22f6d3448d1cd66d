"""Short names for runs: folder names say every override, a chart has room for what tells its runs apart."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from sr.report.net import class_name
from sr.report.runs import Run
from sr.rundir.names import MAX_NAME

HASH = re.compile(r"-[0-9a-f]{8}$")
SEED = re.compile(r"(^| )seed_\d+")


def run_id(run: Run) -> str:
    """What a run is called in the page and in its links."""
    return f"{run.experiment}/{run.name}"


def labels(runs: Sequence[Run]) -> dict[str, str]:
    """A short name for every run, {id: label}: its net, and the overrides in which its experiment's runs differ.

    Where that does not tell two runs apart, their ids are kept whole.
    """
    experiments: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        experiments[run.experiment].append(run)
    short: dict[str, str] = {}
    for members in experiments.values():
        parts = [_parts(run.name) for run in members]
        shared = set.intersection(*map(set, parts)) if len(parts) > 1 else set(parts[0])
        for run, own in zip(members, parts, strict=True):
            short[run_id(run)] = _joined(own, shared) or class_name(run.config.get("model")) or run.name
    counted = Counter(short.values())
    return {key: text if counted[text] == 1 else key for key, text in short.items()}


def _parts(name: str) -> list[str]:
    """The overrides in a folder's name; what was cut off from a long one is left out."""
    parts = HASH.sub("", name).split("-")
    return parts[:-1] if len(name) >= MAX_NAME and len(parts) > 1 else parts


def _joined(parts: Sequence[str], shared: set[str]) -> str:
    """The parts that say something: the net, and what is not shared by all."""
    kept = [part for part in parts if part not in shared or part.startswith("model")]
    return " ".join(re.sub(r"^model[_.]", "", part) for part in kept)


def without_seed(label: str) -> str:
    """The label of several seeds.

    >>> without_seed("quicksrnet_small seed_1")
    'quicksrnet_small'
    """
    return SEED.sub("", label).strip() or label
