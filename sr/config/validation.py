"""Validation of a composed config: each setting has a kind, and its value is of that kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from omegaconf import Container, DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sr.config import schema
from sr.config.checks import as_typed
from sr.config.composition import cause_of
from sr.config.hints import unknown_key
from sr.config.kinds import Follows


@dataclass(frozen=True)
class Setting:
    """A leaf of a config.

    Args:
        key: dotted, from the root.
        node: what holds it.
        name: in `node`.
        open: any key may stand beside it.
    """

    key: str
    node: DictConfig
    name: Any
    open: bool

    @property
    def raw(self) -> Any:
        """Return the value of the config with interpolations as text."""
        child: Any = self.node._get_node(self.name)
        if isinstance(child, Container) and not (child._is_none() or child._is_interpolation() or child._is_missing()):
            return OmegaConf.to_container(child, resolve=False)
        return child._value()

    @property
    def interpolated(self) -> bool:
        """Whether the value, or a part of it, is computed from other settings."""
        return "${" in str(self.raw)

    def value(self) -> Any:
        """Return the value with its interpolations resolved.

        Raises:
            ValueError: an interpolation that cannot be resolved.
        """
        try:
            value = self.node[self.name]
            return OmegaConf.to_container(value, resolve=True) if isinstance(value, Container) else value
        except OmegaConfBaseException as error:
            raise cause_of(error) from None


def check_settings(config: DictConfig) -> None:
    """Raise ValueError, in one line that names the key as typed, for the first setting that cannot be meant.

    Raises:
        ValueError: an unknown or missing key, or a value that is not of its key's kind.
    """
    settings = list(leaves(config))
    for setting in settings:
        if not setting.interpolated:
            _check(setting, setting.raw)
    present = {setting.key for setting in settings}
    if missing := [key for key in schema.REQUIRED if key not in present]:
        raise ValueError(f"{missing[0]} was taken out of the config, which needs it; give {missing[0]}=<value>")
    for setting in sorted(
        settings, key=lambda each: not each.key.startswith("train.")
    ):  # others are computed from these
        if setting.interpolated and "hydra:" not in str(setting.raw) and not isinstance(_kind(setting), Follows):
            _check(setting, setting.value())


def leaves(node: DictConfig, path: str = "", open_: bool = False) -> Iterator[Setting]:
    """Yield every leaf below a node; lists, and mappings that have a kind of their own, are leaves.

    Args:
        node: of the config.
        path: its dotted key, empty for the root.
        open_: any key may stand in it.
    """
    target: Any = node._get_node("_target_") if "_target_" in set(node) else None
    foreign = target is not None and not str(target._value()).startswith("sr.")
    open_ = open_ or path in schema.OPEN or foreign
    for name in node:
        key, child = f"{path}.{name!s}" if path else str(name), node._get_node(name)
        if isinstance(child, DictConfig) and not _is_leaf(key, child):
            yield from leaves(child, key, open_)
        else:
            yield Setting(key, node, name, open_)


def _is_leaf(key: str, node: DictConfig) -> bool:
    """Whether a mapping is one value."""
    return node._is_none() or node._is_interpolation() or node._is_missing() or schema.find_kind(key) is not None


def _kind(setting: Setting) -> Any:
    return schema.find_kind(setting.key)


def _check(setting: Setting, value: Any) -> None:
    """Raise ValueError unless a setting's key and value can be meant."""
    key, kind = setting.key, _kind(setting)
    if value == "???":
        raise ValueError(f"{key} has no value; give {key}=<value>")
    if kind is not None:
        kind.check(key, value)
    elif schema.is_section(key):
        if value is not None or not any(schema.matches(pattern, key) for pattern in schema.NULLABLE):
            raise ValueError(
                f"{key} holds settings ({key}.<name>=<value>) and takes no value itself, got {as_typed(value)}"
            )
    elif not setting.open:
        raise ValueError(unknown_key(key, schema.TYPED))
