"""Find and load pretrained nets by name and scale."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sr.config.targets import build_net
from sr.models.blocks import inference_form
from sr.models.net import Net
from sr.models.weights import load_weights, read_weights
from sr.pretrained.card import CARD, FLOAT, Card
from sr.runs.replacement import whole_folders

NETS = Path(__file__).parent / "nets"
PREFIX = "pretrained/"
"""Prefix of `init` for a pretrained net."""


def cards(nets: Path = NETS) -> list[Card]:
    """Return the cards of all pretrained nets, sorted by name and scale."""
    return [card for card, _ in _cards_with_folders(nets)]


def _cards_with_folders(nets: Path) -> list[tuple[Card, Path]]:
    """Return cards and folders, sorted by name and scale."""
    found = [(Card.read(folder), folder) for folder in whole_folders(nets) if (folder / CARD).is_file()]
    return sorted(found, key=lambda each: (each[0].name, each[0].scale))


def find(name: str, scale: float, nets: Path = NETS) -> Path:
    """Return the folder of a pretrained net.

    Args:
        name: Preset of conf/model.
        scale: 1.5, 2, 3 or 4.
        nets: Folder of the pretrained nets.

    Raises:
        ValueError: If there is no net of that name and scale; the message lists those that exist.
    """
    found = _cards_with_folders(nets)
    scales = [card.scale for card, _ in found if card.name == name]
    for card, folder in found:
        if (card.name, card.scale) == (name, scale):
            return folder
    if scales:
        offered = ", ".join(f"x{each:g}" for each in scales)
        raise ValueError(f"the pretrained {name} is for {offered}, not for x{scale:g}; choose one of these scales")
    listed = ", ".join(sorted({card.name for card, _ in found})) or "none"
    raise ValueError(
        f"no pretrained net is called {name!r}; there are: {listed} (`python -m sr.pretrained` lists them)"
    )


def weights_path(init: str, scale: float) -> str:
    """Return the weights file for `init=pretrained/<name>`; any other `init` is returned unchanged.

    Args:
        init: Setting `init`.
        scale: 1.5, 2, 3 or 4.

    Raises:
        ValueError: If there is no such net.
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
    """Load a pretrained float net in its inference form and evaluation mode.

    Args:
        name: Preset of conf/model, such as "quicksrnet_small".
        scale: 1.5, 2, 3 or 4.
        nets: Folder of the pretrained nets.

    Returns:
        Module lr (N, 3, h, w) in [0, 1] -> sr (N, 3, s*h, s*w) in [0, 1].

    Raises:
        ValueError: If there is no such net.
    """
    folder = find(name, scale, nets)
    return deployed_net(Card.read(folder).net, read_weights(folder / FLOAT), source=str(folder))


def deployed_net(model: Mapping[str, Any], state: Mapping[str, Tensor], *, source: str) -> Net:
    """Build a trained net in its inference form and evaluation mode; the random state does not change.

    Args:
        model: `_target_` and arguments, as in the config of a run.
        state: The weights.
        source: Origin of the weights, for the error message.

    Raises:
        ValueError: If the net is not of this project, or the weights do not fit.
    """
    with torch.random.fork_rng(devices=[]):
        net = inference_form(build_net(model, source=source))
    load_weights(net, state, source=source)
    return net.eval()
