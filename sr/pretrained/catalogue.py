"""Find a shipped net by name and scale, and make it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sr.config.targets import build_net
from sr.models.blocks import inference_form
from sr.models.net import Net
from sr.models.weights import load_weights, read_weights
from sr.pretrained.card import FLOAT, NAME, Card
from sr.runs.replacement import whole_folders

NETS = Path(__file__).parent / "nets"
PREFIX = "pretrained/"
"""How `init` asks for a shipped net."""


def cards(nets: Path = NETS) -> list[Card]:
    """All shipped nets, by name and scale."""
    return [card for card, _ in _shipped(nets)]


def _shipped(nets: Path) -> list[tuple[Card, Path]]:
    """Cards with their folders, by name and scale."""
    found = [(Card.read(folder), folder) for folder in whole_folders(nets) if (folder / NAME).is_file()]
    return sorted(found, key=lambda each: (each[0].name, each[0].scale))


def find(name: str, scale: float, nets: Path = NETS) -> Path:
    """Return the folder of a shipped net.

    Args:
        name: A preset of conf/model.
        scale: 1.5, 2, 3 or 4.
        nets: Where they lie.

    Raises:
        ValueError: there is none of that name, or not at that scale; what there is, is listed.
    """
    there = _shipped(nets)
    scales = [card.scale for card, _ in there if card.name == name]
    for card, folder in there:
        if (card.name, card.scale) == (name, scale):
            return folder
    if scales:
        offered = ", ".join(f"x{each:g}" for each in scales)
        raise ValueError(f"the shipped {name} is for {offered}, not for x{scale:g}; choose one of these scales")
    listed = ", ".join(sorted({card.name for card, _ in there})) or "none"
    raise ValueError(f"no shipped net is called {name!r}; there are: {listed} (`python -m sr.pretrained` lists them)")


def weights_path(init: str, scale: float) -> str:
    """Turn `init=pretrained/<name>` into the file of the weights at this scale; any other `init` stays as it is.

    Raises:
        ValueError: there is no such net.
    """
    if not init.startswith(PREFIX):
        return init
    name = init.removeprefix(PREFIX)
    try:
        return str(find(name, scale) / FLOAT)
    except ValueError as error:
        others = [card.folder for card in cards() if card.name == name]
        if not others:
            raise
        advice = f"init={NETS / others[-1] / FLOAT} init_leave=[conv_last]"
        raise ValueError(f"{error}, or start from another scale's: {advice}") from error


def load(name: str, *, scale: float, nets: Path = NETS) -> Net:
    """Make a shipped float net in its inference form, in evaluation mode.

    Args:
        name: A preset of conf/model, such as "quicksrnet_small".
        scale: 1.5, 2, 3 or 4.
        nets: Where they lie.

    Returns:
        A module: lr (N, 3, h, w) in [0, 1] -> sr (N, 3, s*h, s*w) in [0, 1].

    Raises:
        ValueError: there is no such net.
    """
    folder = find(name, scale, nets)
    return deployed_net(Card.read(folder).net, read_weights(folder / FLOAT), source=str(folder))


def deployed_net(model: Mapping[str, Any], state: Mapping[str, Tensor], *, source: str) -> Net:
    """Make a trained net in its inference form, in evaluation mode, without touching the random state.

    Args:
        model: its `_target_` and arguments, as in a run's config.
        state: its weights.
        source: where these are from, for the message when they do not fit.

    Raises:
        ValueError: no net of this project, or weights of another one.
    """
    with torch.random.fork_rng(devices=[]):
        net = inference_form(build_net(model, source=source))
    load_weights(net, state, source=source)
    return net.eval()
