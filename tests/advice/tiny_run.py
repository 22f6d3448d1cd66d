"""A tiny run in this process, and what the tests of advice about files share."""

import re
import shutil
from pathlib import Path

import pytest

from sr.building import compose
from tests.in_process import complete_here

TINY = [
    "data=folder", "data.heldout_every=3", "data.lr_patch=16", "data.batch_size=2", "train.iterations=4",
    "train.chunk=2", "train.validate_every=4", "train.checkpoint_every=2", "train.precision=fp32", "model.f=4",
    "model=quicksrnet", "model.m=0", "callbacks=train_only", "callbacks.evaluate.forms=[]", "callbacks.cost=null",
    "logger=none",
]  # fmt: skip


def start(folder: Path, *overrides: str) -> str:
    """Complete a run in this process."""
    return complete_here(compose([*overrides, f"hydra.run.dir={folder}"], with_hydra=True), folder)


def refused(match: str, folder: Path, *overrides: str) -> str:
    with pytest.raises((ValueError, OSError), match=match) as caught:
        start(folder, *overrides)
    return str(caught.value)


def remove_what_is_named(message: str, ending: str) -> Path:
    """Remove the file or folder of a message that has an ending; returns it."""
    path = next(Path(each) for each in re.findall(r"(/[^\s:;,()]+)", message) if each.endswith(ending))
    assert path.is_symlink() or path.exists()
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return path
