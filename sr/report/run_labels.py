"""Short labels for runs: the overrides in which the runs of an experiment differ."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from sr.report.net_facts import class_name
from sr.report.runs import Run
from sr.report.short_names import apart, started
from sr.runs.folders import MAX_NAME

SEED = re.compile(r"(^| )seed_\d+")


def run_id(run: Run) -> str:
    """Return the id of a run in the page and in its links."""
    return f"{run.experiment}/{run.name}"


def labels(runs: Sequence[Run]) -> dict[str, str]:
    """Return a label for every run, {id: label}: its net, and the overrides in which its experiment's runs differ.

    A run that it started from is told by its hash, `from ~378527d3`, and so is one whose name was cut off. Where all
    that does not tell two runs apart, they get their own hashes, too, or their ids are kept whole.
    """
    experiments: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        experiments[run.experiment].append(run)
    short: dict[str, str] = {}
    for members in experiments.values():
        known = [started(run.name, run.config.get("init")) for run in members]
        shared = set.intersection(*map(set, known)) if len(known) > 1 else set(known[0])
        for run, own in zip(members, known, strict=True):
            short[run_id(run)] = _joined(own, shared) or class_name(run.config.get("model")) or run.name
    counted = Counter(short.values())
    told = {
        key: apart(text, key) if counted[text] > 1 or len(key.split("/")[-1]) >= MAX_NAME else text
        for key, text in short.items()
    }
    counted = Counter(told.values())
    return {key: text if counted[text] == 1 else key for key, text in told.items()}


def _joined(parts: Sequence[str], shared: set[str]) -> str:
    """Join the parts that differ, and the net."""
    kept = [part for part in parts if part not in shared or part.startswith("model")]
    return " ".join(re.sub(r"^model[_.]", "", part) for part in kept)


def label_without_seed(label: str) -> str:
    """Return the common label of several seeds.

    >>> label_without_seed("quicksrnet_small seed_1")
    'quicksrnet_small'
    """
    return SEED.sub("", label).strip() or label
