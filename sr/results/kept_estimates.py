"""Compiler's estimates of `sr bench htp`, reduced to what version control should hold."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sr.config.kinds import Anything, Kind, Many, Named, Number, Text, Whole
from sr.report.net_facts import class_name
from sr.results.kept_run import without_machine_paths
from sr.runs.files import read_json

ROW: dict[str, Kind] = {
    "model": Named(Anything()), "scale": Number(above=0), "lr_height": Whole(1), "lr_width": Whole(1),
}  # fmt: skip
FREE_OF_LATENCY = ("residual", "anchor", "activation", "init")
"""Arguments in which a net and the same net with a residual may differ."""
BY_CHANNEL = "input_to_output"
"""The residual of the papers, in front of depth-to-space."""


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """Estimates of a grid of nets.

    Attributes:
        command: The command that made them.
        git: {"commit", "dirty"} of the code.
        versions: {package: version}.
        nets: [{"model" (`_target_` and arguments), "scale", "scheme", "lr_height", "lr_width", "microseconds"
            ({chip: time})}].
    """

    command: str
    git: dict[str, Any]
    versions: dict[str, str]
    nets: list[dict[str, Any]]

    def __post_init__(self) -> None:
        """Refuse content of another kind.

        Raises:
            ValueError: A value is of another kind; the message names its key.
        """
        Text().check("command", self.command)
        Named(Anything()).check("git", self.git)
        Many(Named(Anything())).check("nets", self.nets)
        for row in self.nets:
            Named(Anything(), tuple(ROW.items())).check("nets", row)
            Named(Number(above=0)).check("nets.microseconds", row.get("microseconds"))


def reduced_estimates(path: Path) -> Estimates:
    """Read the file of `sr bench htp --json`.

    Raises:
        ValueError: If it is another file, or none of its nets was estimated.
    """
    content = read_json(path)
    try:
        rows = [row for row in content["figures"]["nets"] if "estimates" in row]
        nets = [_net(row) for row in rows]
        overrides = [without_machine_paths(text) for text in content["setting"]["overrides"]]
        git, versions = content["git"], content["versions"]
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is not a file of `sr bench htp --json` of this version ({type(error).__name__}: {error}); "
            "make it again"
        ) from error
    if not nets:
        raise ValueError(f"{path} has no net with an estimate; the reasons are in it")
    command = shlex.join(["python", "-m", "sr.bench", "htp", *overrides])
    return Estimates(command=command, git=git, versions=versions, nets=nets)


def _net(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in (*ROW, "scheme")} | {
        "microseconds": {each["chip"]: each["estimate_us"] for each in row["estimates"]}
    }


def read_estimates(path: Path) -> Estimates:
    """Read kept estimates.

    Raises:
        ValueError: If the file holds something else; the message names it.
    """
    try:
        return Estimates(**read_json(path))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no kept estimates ({error}); keep them again with sr results") from error


def as_kept(estimates: Estimates) -> dict[str, Any]:
    """Return the content of a file of kept estimates."""
    return asdict(estimates)


def saved_share(net: Mapping[str, Any], others: list[dict[str, Any]], chip: str) -> float | None:
    """Return the share of time that a net saves against itself with the papers' residual; None if that is not there.

    Args:
        net: A row of `Estimates.nets`, of a net without a residual.
        others: Rows to look in.
        chip: Name of the chip.
    """
    for other in others:
        if residual_of(other) == BY_CHANNEL and essence(other) == essence(net) and chip in other["microseconds"]:
            return 1 - float(net["microseconds"][chip]) / float(other["microseconds"][chip])
    return None


def residual_of(row: Mapping[str, Any]) -> str:
    """Return "none", `BY_CHANNEL` or "nearest": the residual of a row's net."""
    return BY_CHANNEL if row["model"].get("anchor") else str(row["model"].get("residual", "none"))


def essence(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a net and its form with a residual share."""
    arguments = {key: value for key, value in row["model"].items() if key not in (*FREE_OF_LATENCY, "_target_")}
    return class_name(row["model"]), arguments, row["lr_height"], row["lr_width"]
