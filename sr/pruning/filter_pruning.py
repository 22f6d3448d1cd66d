"""Filter pruning of a trained net: score, choose, remove, and report the savings."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from sr.cost.count import count_parameters
from sr.models.net import Net
from sr.models.weights import save_weights
from sr.pruning.dependency_graph import Channels
from sr.pruning.filters import Filters, Given
from sr.pruning.layer_importance import remove_layers
from sr.pruning.narrowed import remove_channels
from sr.runs.files import write_json
from sr.runs.identity import NARROW

WEIGHTS = "narrow/weights.safetensors"
_TARGET = "sr.pruning.narrowed.narrow"


def narrowed_model(model: Mapping[str, Any], removed: Sequence[str], widths: Mapping[str, int]) -> dict[str, Any]:
    """Return the description of a narrower net, `_target_` and arguments as of every model.

    Args:
        model: Description of the wide net.
        removed: Removed layers.
        widths: Group of channels -> number that is left.
    """
    return {"_target_": _TARGET, "net": dict(model), "removed": list(removed), "widths": dict(widths)}


def given(filters: Given, model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of `NARROW` for a run with given layers and widths; its weights are those of `init`.

    Args:
        filters: Removed layers and widths.
        model: Description of the wide net.
    """
    removed, widths = list(filters.removed or []), dict(filters.widths or {})
    return {
        "removed": removed,
        "widths": widths,
        "model": narrowed_model(model, removed, widths),
        "weights": None,
    }


def prune(
    filters: Filters,
    *,
    net: Net,
    model: Mapping[str, Any],
    source: str,
    batches: Iterable[tuple[Tensor, Tensor]],
    loss: nn.Module,
    folder: Path,
) -> dict[str, Any]:
    """Prune a trained net in place, and write its weights and `NARROW` into a run folder.

    Args:
        filters: Which channels stay.
        net: Trained net in its inference form, on the CPU.
        model: `_target_` and arguments of the net.
        source: Where its weights came from.
        batches: uint8 RGB (lr, hr) batches of training crops.
        loss: Module (sr, hr) -> scalar.
        folder: Run folder.

    Returns:
        The content of the file: removed layers, widths, the model's description, and parameters before and after.

    Raises:
        ValueError: The net cannot be pruned, or not that far.
    """
    started = time.perf_counter()
    before = {"parameters": count_parameters(net).total}
    removals = remove_layers(net, filters.remove_layers, islice(batches, filters.num_batches), loss)
    removed = [removal.layer for removal in removals]
    channels = Channels(net)
    kept = filters.kept(net, channels, batches, loss)
    full = {group.name: len(group.features) for group in channels.groups()}
    remove_channels(net, channels, {feature for features in kept.values() for feature in features})
    widths = {name: len(features) for name, features in kept.items() if len(features) < full[name]}
    described = narrowed_model(model, removed, widths)
    save_weights(net, folder / WEIGHTS, {"config": {"model": described}})
    outcome = {
        "source": source,
        "filters": asdict(filters),
        "removed": removed,
        "removals": [asdict(removal) for removal in removals],
        "widths": widths,
        "widths_before": full,
        "overrides": _overrides(removed, widths),
        "model": described,
        "weights": WEIGHTS,
        "before": before,
        "after": {"parameters": count_parameters(net).total},
        "seconds": round(time.perf_counter() - started, 3),
    }
    write_json(folder / NARROW, outcome)
    return outcome


def _overrides(removed: Sequence[str], widths: Mapping[str, int]) -> list[str]:
    """Return the settings with which another run builds the same net."""
    lines = ["filters=given"]
    if removed:
        lines.append(f"filters.removed=[{','.join(removed)}]")
    if widths:
        lines.append("filters.widths={" + ",".join(f"{name}:{count}" for name, count in widths.items()) + "}")
    return lines
