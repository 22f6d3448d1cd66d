"""Classes of the user, named on the command line in addition to the lists of `sr.config.targets`."""

from collections.abc import Iterator
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser


def named_targets() -> list[str]:
    """Return the classes that the command line names (`model._target_=my.module.Net`).

    Returns:
        Their dotted names; none where nothing was composed from a command line.
    """
    if not HydraConfig.initialized():
        return []
    parsed = OverridesParser.create().parse_overrides(list(HydraConfig.get().overrides.task))
    return [name for each in parsed for name in _targets_in(each.key_or_group.split(".")[-1], each.value())]


def _targets_in(key: Any, value: Any) -> Iterator[str]:
    """Yield the values of `_target_` in an override, at any depth."""
    if key == "_target_":
        yield str(value)
    elif isinstance(value, dict):
        for inner, each in value.items():
            yield from _targets_in(inner, each)
    elif isinstance(value, list):
        for each in value:
            yield from _targets_in("", each)
