"""Kinds of settings: what a value of each may be. `check` raises ValueError in one line that names the key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sr.config.checks import as_typed, count, number
from sr.config.sizes import lr_sides

LARGEST_WHOLE = 1_000_000_000
"""Whole numbers beyond this are typing errors."""


class Kind(Protocol):
    """What a setting's value may be."""

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is of this kind."""


@dataclass(frozen=True)
class Whole:
    """Whole number from `least` to `most`; without a `most`, up to `LARGEST_WHOLE`."""

    least: int = 1
    most: int | None = None

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is a whole number within the bounds."""
        if count(key, value, least=self.least, most=self.most) > LARGEST_WHOLE and self.most is None:
            raise ValueError(f"{key} is a whole number up to {LARGEST_WHOLE}, got {value}")


@dataclass(frozen=True, kw_only=True)
class Number:
    """Finite number within the bounds that are given."""

    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is a finite number within the bounds."""
        number(key, value, least=self.least, above=self.above, most=self.most, below=self.below)


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is true or false."""
        if not isinstance(value, bool):
            raise ValueError(f"{key} is true or false, got {as_typed(value)}")


class Choice:
    """One of a few values; `advice` is added to a refusal."""

    def __init__(self, *options: str | int | float, advice: str = "") -> None:
        self.options, self.advice = options, advice

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is one of the options."""
        if isinstance(value, bool) or not isinstance(value, str | int | float) or value not in self.options:
            raise ValueError(f"{key} is one of {', '.join(map(str, self.options))}, got {as_typed(value)}{self.advice}")


@dataclass(frozen=True)
class Text:
    """Text such as a name or a path; empty only where that means something."""

    empty: bool = False

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is text."""
        if isinstance(value, str) and (value.strip() or self.empty):
            return
        if isinstance(value, bool | int | float):
            advice = "put it in quotes" if key.endswith("]") else f"write '{key}=\"{as_typed(value)}\"'"
            raise ValueError(f"{key} is text, got the value {as_typed(value)}; {advice}")
        raise ValueError(f"{key} is {'' if self.empty else 'non-empty '}text, got {as_typed(value)}")


@dataclass(frozen=True)
class Weights:
    """Weights to load: a run folder, a file, or pretrained/<name>."""

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is text, or if it has the former prefix of the package's nets."""
        Text().check(key, value)
        former, _, name = value.partition("/")
        if former == "shipped" and not Path(value).exists():
            raise ValueError(f"{key}: the nets of the package are called pretrained now; write {key}=pretrained/{name}")


@dataclass(frozen=True)
class Label:
    """Text or a whole number, as a part of a folder's name."""

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is text or a whole number."""
        Text().check(key, str(value) if isinstance(value, int) and not isinstance(value, bool) else value)


@dataclass(frozen=True)
class Size:
    """A preset of an output size, or height x width of the LR image."""

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value states a size."""
        lr_sides(value if isinstance(value, str) else as_typed(value))


@dataclass(frozen=True)
class Many:
    """List whose items are of one kind."""

    item: Kind
    length: int | None = None

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is such a list."""
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            advice = f"; write {key}=[{value}]" if isinstance(value, str | int | float) else ""
            raise ValueError(f"{key} is a list, got {as_typed(value)}{advice}")
        if self.length is not None and len(value) != self.length:
            raise ValueError(f"{key} is a list of {self.length}, got {value!r}")
        for position, item in enumerate(value):
            self.item.check(f"{key}[{position}]", item)


@dataclass(frozen=True)
class Named:
    """Mapping whose values are of one kind, such as {conv5_4: 1}; `fields` gives each its own and allows no others."""

    item: Kind | None = None
    fields: tuple[tuple[str, Kind], ...] = ()

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is such a mapping."""
        if not isinstance(value, Mapping):
            raise ValueError(f"{key} is a mapping as {{name: value}}, got {as_typed(value)}")
        kinds = dict(self.fields)
        for name, item in value.items():
            kind = kinds.get(str(name), self.item)
            if kind is None:
                raise ValueError(f"{key} has {', '.join(kinds)}; got {name}")
            kind.check(f"{key}.{name}", item)


@dataclass(frozen=True)
class Optional:
    """A value of another kind, or null."""

    kind: Kind

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is null or of the kind."""
        if value is not None:
            try:
                self.kind.check(key, value)
            except ValueError as error:
                raise ValueError(str(error).replace(", got ", ", or null, got ", 1)) from None


@dataclass(frozen=True)
class Follows:
    """A value that another setting gives; where it is typed itself, the other one is named."""

    source: str

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError: the value was typed."""
        raise ValueError(f"{key} follows from {self.source}, got {as_typed(value)}; set {self.source} instead")


@dataclass(frozen=True)
class AutoOr:
    """The word auto, or a value of another kind."""

    kind: Kind

    def check(self, key: str, value: Any) -> None:
        """Raise ValueError unless the value is auto or of the kind."""
        if value != "auto":
            try:
                self.kind.check(key, value)
            except ValueError as error:
                raise ValueError(str(error).replace(", got ", ", or auto, got ", 1)) from None


@dataclass(frozen=True)
class Anything:
    """A value that only the part that takes it can judge."""

    def check(self, key: str, value: Any) -> None:
        """Accept any value."""
