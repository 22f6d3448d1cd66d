"""Suggestions for mistyped keys and options, printed below Hydra's own message."""

from collections.abc import Iterator, Sequence, Set
from difflib import get_close_matches
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException

from sr.config.composition import register_resolvers
from sr.runs.folders import ROOT

SWEEPS = "sweeps"
OPTIONAL = ("recipe", "filters", "trick", SWEEPS)
"""Groups of which a config may hold none; the others have an option `none`, or cannot be left out."""


def hints(arguments: Sequence[str]) -> list[str]:
    """Suggest corrections for overrides that no config has.

    Args:
        arguments: of the command line, after the program's name.

    Returns:
        A sentence for each override that is not known; empty where all are.
    """
    overrides = [text.lstrip("+").split("=", 1) for text in arguments if "=" in text and text[0] not in "-~"]
    groups = {key: options for key, _ in overrides if (options := group_options(key.split("@")[0]))}
    chosen = [f"{key}={value}" for key, value in overrides if value in groups.get(key, ()) and key != SWEEPS]
    swept = [f"{key}={value.split(',')[0]}" for key, value in overrides if "," in value and key in groups]
    keys = _keys(chosen)
    of_swept = _keys([*chosen, *swept]) if swept else keys
    found: list[str] = []
    for key, value in overrides:
        if key in groups:
            found += [_option(key, each, groups[key]) for each in value.split(",") if each not in groups[key]]
        elif key in of_swept - keys:
            found.append(f"Only options that are swept have a key {key}: write ++{key}={value}.")
        elif key.split("@")[0] not in keys and not key.startswith("hydra."):
            found.append(unknown_key(key, keys))
    return found


def group_options(group: str) -> list[str]:
    """Return the names of a group's files, which are its options; none where there is no such group."""
    folder = ROOT / SWEEPS if group == SWEEPS else ROOT / "conf" / group
    return sorted(path.stem for path in folder.glob("*.yaml")) if group and ".." not in group else []


def _keys(overrides: list[str]) -> set[str]:
    """Dotted keys of the config that these choices give, or of the default one where they do not fit each other."""
    register_resolvers()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        try:
            config = compose("config", overrides=overrides)
        except HydraException:
            config = compose("config")
    return set(_dotted(config))


def _dotted(node: Any, path: str = "") -> Iterator[str]:
    """Yield every key below a node, dotted from the root."""
    for key in node:
        name = f"{path}.{key}" if path else str(key)
        yield name
        child = node._get_node(key)
        if hasattr(child, "keys") and not child._is_none() and not child._is_missing():
            yield from _dotted(child, name)


def _option(group: str, value: str, options: list[str]) -> str:
    if value in ("null", "none") and group in OPTIONAL:
        return f"To take no {group}, write '~{group}' in place of {group}={value}."
    close = get_close_matches("none" if value == "null" else value, options, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(f'{group}={name}' for name in close)}?" if close else f"No {group} is {value!r}."


def unknown_key(key: str, keys: Set[str]) -> str:
    """Return a sentence on a key that no config has, with those that may have been meant.

    Args:
        key: dotted, as typed.
        keys: those that there are.
    """
    last = key.split(".")[-1]
    same = [known for known in keys if known.split(".")[-1] == last and not known.startswith("callbacks")]
    same.sort(key=lambda known: (known.count("."), known))  # the outermost is meant most often
    close = (same or get_close_matches(key, sorted(keys), n=3, cutoff=0.7))[:3]
    guess = f"Did you mean {' or '.join(close)}?" if close else "python -m sr.run --cfg job lists all keys."
    return f"There is no key {key}, and what is added with + nothing reads. {guess}"
