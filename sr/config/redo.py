"""`redo=[...]`: remove results of stages, and of all that depend on them, so that they are made again."""

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from sr.config.checks import names

PLACES_OF = {
    "prune": ("narrow",),
    "train": ("checkpoints", "float", "training.json", "rounds", "nonfinite_*.pt"),
    "evaluate": tuple(f"evaluation/{form}.json" for form in ("bicubic", "float", "simulated", "exported*")),
    "quantize": ("quantized",),
    "sensitivity": ("sensitivity",),
    "perceptual": ("evaluation/perceptual.json",),
    "export": ("export",),
    "images": ("images/images.json",),
    "cost": ("cost.json",),
    "report": ("report.json",),
}
"""Stage -> what it leaves in a run folder."""
_AFTER_QUANTIZE = ("evaluate", "sensitivity", "perceptual", "export", "images", "cost", "report")
DEPENDENTS = {
    "prune": ("train", "quantize", *_AFTER_QUANTIZE),
    "train": ("quantize", *_AFTER_QUANTIZE),
    "quantize": _AFTER_QUANTIZE,
    "export": ("evaluate", "cost", "report"),
}
"""Stage -> those that read its result; the report reads all."""


def with_dependents(stages: Sequence[str]) -> set[str]:
    """Return stages and all that depend on them.

    Args:
        stages: as given by `redo`.

    Raises:
        ValueError: an unknown stage, or a single word in place of a list.

    >>> sorted(with_dependents(["export"]))
    ['cost', 'evaluate', 'export', 'report']
    """
    if unknown := [stage for stage in names("redo", stages) if stage not in PLACES_OF]:
        raise ValueError(f"redo has {', '.join(map(str, unknown))}; the stages are {', '.join(PLACES_OF)}")
    return {other for stage in stages for other in (stage, *DEPENDENTS.get(stage, ("report",)))}


def remove_results(folder: Path, stages: Collection[str]) -> None:
    """Remove what stages left in a run folder.

    Args:
        folder: of the run, which nobody else may be writing.
        stages: of `PLACES_OF`.
    """
    patterns = [place for stage in stages for place in PLACES_OF[stage]]
    for path in (path for pattern in sorted(patterns, key=_last_first) for path in folder.glob(pattern)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _last_first(place: str) -> int:
    """Let the report go first: a kill in between leaves an unfinished run."""
    return 0 if place == "report.json" else 1
