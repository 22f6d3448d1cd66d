"""Settings of `conf/` and their kinds, one line a key; `*` stands for one name.

A key that no line has is refused, unless it lies in a node of `OPEN` or in one that builds a class of another package:
there the constructor judges it. A new setting gets its line in `training_schema` or `stage_schema`; a test asks for it.
"""

from functools import cache

from sr.config import launcher_schema
from sr.config import stage_schema as stages
from sr.config import training_schema as training
from sr.config.kinds import Flag, Follows, Kind, Text

SECTIONS: dict[str, dict[str, Kind]] = {
    "": training.TOP,
    "train.": training.TRAIN,
    "machine.": training.MACHINE,
    "data.": training.DATA,
    "data.degradation.": training.DEGRADATION,
    "model.": training.MODEL,
    "loss.": training.LOSS,
    "optimizer.": training.OPTIMIZER,
    "task.discriminator_optimizer.": training.OPTIMIZER,
    "scheduler.": training.SCHEDULER,
    "task.discriminator_scheduler.": training.SCHEDULER,
    "task.": training.TASK,
    "filters.": stages.FILTERS,
    "quantization.": stages.QUANTIZATION,
    "quantization.stages.*.": stages.STEP,
    "export.": stages.EXPORT,
    "callbacks.": stages.CALLBACKS,
    "trainer.": training.TRAINER,
    "logger.": training.LOGGER,
    "launcher.": launcher_schema.LAUNCHER,
}
KIND_OF_KEY = {f"{section}{key}": kind for section, kinds in SECTIONS.items() for key, kind in kinds.items()}
TYPED = frozenset(key for key, kind in KIND_OF_KEY.items() if "*" not in key and not isinstance(kind, Follows))
"""Keys to suggest for a mistyped one."""
OPEN = (
    "model",
    "loss",
    "optimizer",
    "scheduler",
    "task.discriminator",
    "task.discriminator_optimizer",
    "task.discriminator_scheduler",
    "trainer",
    "logger",
)
"""Nodes that may build any class; their constructors refuse what they do not take."""
EVERYWHERE: dict[str, Kind] = {"_target_": Text(), "_partial_": Flag()}
"""Keys of Hydra that each node may have."""
NULLABLE = ("filters", "callbacks.*", "quantization.stages.*", "export.engines.*")
"""Nodes that may be null, which leaves out what they describe."""
BARE = ("callbacks.report", "callbacks.throughput", "callbacks.validation_images")
"""Nodes without settings of their own."""
REQUIRED = (*training.TOP, *(f"train.{key}" for key in training.TRAIN), *(f"machine.{key}" for key in training.MACHINE))
"""Keys that the composition root reads."""


@cache
def find_kind(key: str) -> Kind | None:
    """Return the kind of a setting's values; None where no line has the key.

    >>> find_kind("train.iterations")
    Whole(least=0, most=None)
    >>> find_kind("train.itterations")
    """
    found = KIND_OF_KEY.get(key) or EVERYWHERE.get(key.rpartition(".")[2])
    return found or next(
        (kind for pattern, kind in KIND_OF_KEY.items() if "*" in pattern and matches(pattern, key)), None
    )


def matches(pattern: str, key: str) -> bool:
    """Tell whether a key is meant by a pattern.

    >>> matches("callbacks.*", "callbacks.cost"), matches("callbacks.*", "callbacks.cost.target")
    (True, False)
    """
    wanted, got = pattern.split("."), key.split(".")
    return len(wanted) == len(got) and all(part in ("*", name) for part, name in zip(wanted, got, strict=True))


def is_section(key: str) -> bool:
    """Tell whether a key names a node that holds settings."""
    depth = key.count(".") + 1
    return key in BARE or any(
        matches(".".join(pattern.split(".")[:depth]), key) for pattern in KIND_OF_KEY if pattern.count(".") >= depth
    )
