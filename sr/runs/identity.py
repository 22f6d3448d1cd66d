"""Settings that decide a run's numbers; a run refuses to continue with others."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sr.runs.files import read_json, read_yaml, write_atomically, write_json
from sr.runs.folders import MACHINE_KEYS, PLACE_KEYS

CONFIG = "config.yaml"
NARROW = "narrow/narrow.json"  # what filter pruning left of the net


def identity(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a config that decides a run's numbers: all but `MACHINE_KEYS` and `PLACE_KEYS`.

    Which class does the work of a stage is the code's affair: below `callbacks` only settings count.
    """
    kept = {key: value for key, value in config.items() if key not in MACHINE_KEYS}
    for part, keys in PLACE_KEYS.items():
        if isinstance(kept.get(part), Mapping):
            kept[part] = {key: value for key, value in kept[part].items() if key not in keys}
    if isinstance(kept.get("callbacks"), Mapping):
        kept["callbacks"] = {name: _without_target(settings) for name, settings in kept["callbacks"].items()}
    return kept


def _without_target(settings: Any) -> Any:
    if not isinstance(settings, Mapping):
        return settings
    return {"on": True} | {key: value for key, value in settings.items() if key != "_target_"}


def differing_keys(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Return the dotted keys in which two nested plain containers differ, each with both values.

    Keys that only one of them has do not count: the code knows more settings from time to time, whose defaults are what
    it did before. An empty container differs from a filled one.

    >>> differing_keys({"a": 1, "new": 0}, {"a": 2})
    ['a: 2 before, 1 now']
    """
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping) and bool(ours) == bool(theirs):
        shared = [key for key in ours if key in theirs]
        return [
            line
            for key in sorted(shared, key=str)
            for line in differing_keys(ours[key], theirs[key], f"{path}.{key}" if path else str(key))
        ]
    return [] if ours == theirs else [f"{path}: {theirs!r} before, {ours!r} now"]


def refuse_changes(folder: Path, config: Mapping[str, Any]) -> None:
    """Refuse a config that would give other numbers than the one that the run folder was started with.

    Raises:
        ValueError: a key that decides the numbers differs from the run's first start; each is named.
    """
    if not has_config(folder):
        return
    first = read_config(folder)
    changed = differing_keys(json.loads(json.dumps(identity(config))), json.loads(json.dumps(identity(first))))
    if changed:
        raise ValueError(
            f"{folder} was started with other settings:\n  "
            + "\n  ".join(changed)
            + "\nA changed setting is a new run: give it on the command line (the folder name follows), choose another "
            "`experiment=`, or remove the folder. "
            "To go on from these weights use `init=<this folder>`."
        )


def lock_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Write the run's config at its first start, once its parts could be built; later starts must agree with it."""
    refuse_changes(folder, config)
    if not (folder / CONFIG).is_file():
        write_atomically(folder / CONFIG, yaml.safe_dump(dict(config), sort_keys=False))


def has_config(folder: Path) -> bool:
    """Return whether a run was started in a folder."""
    return (folder / CONFIG).is_file()


def read_config(folder: Path) -> dict[str, Any]:
    """Read the config of a run's first start, plain containers only.

    Raises:
        ValueError: the file is no mapping.
    """
    path = folder / CONFIG
    try:
        config = read_yaml(path)
    except ValueError as error:
        raise ValueError(f"{error}; remove the folder to start anew") from error
    if not isinstance(config, dict):
        raise ValueError(f"{path} is not a config (got {type(config).__name__}); remove the folder to start anew")
    return config


def kept_config(folder: Path) -> dict[str, Any]:
    """Return the config of a run with the net that filter pruning left, if any."""
    config = read_config(folder)
    narrow = folder / NARROW
    return config | {"model": read_json(narrow)["model"]} if narrow.is_file() else config


def check_data(folder: Path, description: Mapping[str, Any]) -> None:
    """Store the fingerprint of a run's training images at its first start; refuse other images later.

    Args:
        folder: the run folder.
        description: plain containers with at least a "fingerprint" of the images.

    Raises:
        ValueError: the images differ from those of the first start.
    """
    path = folder / "data.json"
    if not path.is_file():
        write_json(path, dict(description))
    elif read_json(path)["fingerprint"] != description["fingerprint"]:
        raise ValueError(
            f"the training images are not those that {folder} was started with (another folder, or files were added, "
            "changed or removed); put them back, or choose another `experiment=`"
        )
