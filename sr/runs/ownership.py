"""Which setting changes the result of which stage: the table from which the keys of results are made."""

from collections.abc import Mapping
from typing import Any

_TRAIN = "train"
TESTED = ("evaluate", "perceptual")
OWNERS: dict[str, tuple[str, ...]] = {
    # Training. Weights and images that a setting names by a path count by their content, so such paths have no owner.
    **dict.fromkeys(
        ("model", "optimizer", "scheduler", "train", "trainer", "task", "scale", "recipe", "trick"), (_TRAIN,)
    ),
    **dict.fromkeys(("init", "init_leave", "blend", "alpha", "pixel"), ()),
    "train.protocol": (_TRAIN, "quantize"),
    "filters": ("prune",),
    **dict.fromkeys(("task.teacher.source", "task.perceptual.weights", "task.cuda_graphs"), ()),
    **dict.fromkeys(("loss", "seed", "data"), (_TRAIN, "prune", "quantize", "sensitivity")),
    **dict.fromkeys(("train.checkpoint_every", "trainer.accelerator", "trainer.default_root_dir"), ()),
    **dict.fromkeys(
        (f"data.{key}" for key in ("root", "test_root", "cache", "gpu_cache", "archives", "test", "test_frames")), ()
    ),
    "data.degradation": (),  # by the pixels that it makes, which the fingerprint of the images tells
    # Stages.
    "protocol": TESTED,
    "measures": ("perceptual",),
    "quantization": ("quantize",),
    "quantization.stages.*.accelerator": (),
    "quantization.stages.*.teacher": (),
    "export": ("export",),
    "size": ("export", "cost"),
    **{f"callbacks.{stage}": (stage,) for stage in ("sensitivity", "perceptual", "export", "images", "cost")},
    # The machine, and what is watched.
    "callbacks": (),
    "callbacks.*._target_": (),
    **dict.fromkeys(("logger", "machine", "experiment", "sweeps", "ckpt", "reuse", "redo", "launcher", "hydra"), ()),
}
"""Dotted key -> stages whose results it changes; the longest key that fits decides, and `*` stands for one part.

A key that nothing here names belongs to the training: a wrong guess trains again, and never takes a wrong net.
"""


def owners(key: str) -> tuple[str, ...]:
    """Return the stages whose results a setting changes.

    Args:
        key: dotted, such as "data.lr_patch".

    >>> owners("model.m"), owners("quantization.stages.qat.accelerator"), owners("new.setting")
    (('train',), (), ('train',))
    """
    parts = key.split(".")
    for length in range(len(parts), 0, -1):
        for pattern, found in OWNERS.items():
            wanted = pattern.split(".")
            if len(wanted) == length and all(a in (b, "*") for a, b in zip(wanted, parts, strict=False)):
                return found
    return (_TRAIN,)


def settings_of(stage: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that change a stage's result, by their dotted keys.

    Of a quantization scheme only the steps in its `chain` count.

    Args:
        stage: its name, such as "quantize".
        config: plain containers.

    >>> settings_of("evaluate", {"protocol": "y", "seed": 0})
    {'protocol': 'y'}
    """
    return {key: value for key, value in _leaves(_without_unused_steps(config)) if stage in owners(key)}


def _without_unused_steps(config: Mapping[str, Any]) -> dict[str, Any]:
    scheme = config.get("quantization")
    if not isinstance(scheme, Mapping) or not isinstance(scheme.get("stages"), Mapping):
        return dict(config)
    used = {name: step for name, step in scheme["stages"].items() if name in (scheme.get("chain") or [])}
    return {**config, "quantization": {**scheme, "stages": used}}


def _leaves(node: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        return [leaf for key, value in node.items() for leaf in _leaves(value, f"{path}.{key}" if path else str(key))]
    return [(path, node)]
