"""Card of a pretrained net as a kept result: its scores, length, commands and commit."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sr.data.test_sets import KNOWN
from sr.pretrained.card import Card
from sr.report.record import Report
from sr.results.kept_run import SCHEME_KEYS, TOTAL_ITERATIONS, without_machine_paths

PRETRAINED = "pretrained"
"""Experiment that the kept results of cards have."""
_SEED = re.compile(r"(?:^|\s)seed=(\d+)")


def card_report(folder: Path) -> Report:
    """Return the report of a pretrained net, as its card states it.

    Args:
        folder: Folder of the net, with `card.json`.

    Raises:
        ValueError: If a file of the net differs from its card, or the card has a set of unknown size.
    """
    card = Card.read(folder)
    seed = _SEED.search(card.commands[-1])
    quality = {
        stage: {name: _with_facts(name, score, card) for name, score in sets.items()}
        for stage, sets in card.quality.items()
    }
    return Report(
        experiment=PRETRAINED,
        run=f"{card.folder}-{card.quantization or 'float'}-seed_{seed[1] if seed else 0}",
        config={
            "model": card.net,
            "scale": card.scale,
            "seed": int(seed[1]) if seed else 0,
            "protocol": card.protocol,
            "init": None,
            "task": {"_target_": ""},
            "quantization": _scheme(card.quantization),
            "export": {},
        },
        protocol=card.protocol,
        git={"commit": card.commit, "dirty": None},
        versions=card.versions,
        data=card.data,
        training={key: value for key, value in card.training.items() if key != "seconds"}
        | {TOTAL_ITERATIONS: card.training["iterations"]},
        quality=quality,
        cost={"parameters": sum(card.parameters.values()), "trainable_parameters": card.parameters["trainable"]},
        export={},
        stage_seconds={},
        made_by={"commands": [without_machine_paths(command) for command in card.commands]},
    )


def _with_facts(name: str, score: Mapping[str, float], card: Card) -> dict[str, Any]:
    """Add protocol and number of images to a score of a card."""
    if name not in KNOWN:
        raise ValueError(
            f"the card of {card.folder} has scores of {name!r}, a set of unknown size; keep its run instead"
        )
    return {"protocol": card.protocol, **score, "num_images": KNOWN[name].num_images}


def _scheme(name: str) -> dict[str, Any]:
    """Return the facts of a scheme of conf/quantization."""
    if not name:
        return {}
    from sr.building import compose  # imports Hydra and the nets, which the page alone does not need
    from sr.config.composition import plain

    settings = plain(compose([f"quantization={name}"]).quantization)
    return {key: value for key, value in settings.items() if key in SCHEME_KEYS}
