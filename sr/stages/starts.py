"""Provenance: which code, libraries and machine each start of a run had."""

from pathlib import Path
from typing import Any

from sr.report.provenance import maker
from sr.runs.files import read_json, write_json

STARTS = "commands.json"


def starts(folder: Path) -> list[dict[str, Any]]:
    """Return the starts of a run's training, the first one first."""
    path = folder / STARTS
    return read_json(path) if path.is_file() else []


def note_start(folder: Path, key: str) -> None:
    """Append this start, with the key of the training, to `commands.json`."""
    write_json(folder / STARTS, [*starts(folder), {**maker(), "train_key": key}])


def last_training_key(folder: Path) -> str | None:
    """Return the key that the training of a run was started with; None for a run from before there were keys."""
    noted = starts(folder)
    return str(noted[-1]["train_key"]) if noted else None
