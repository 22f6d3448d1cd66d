"""A net that was trained before: a shipped one, or that of a finished run."""

import json
from pathlib import Path

from safetensors import safe_open

from sr.models.net import Net
from sr.models.weights import FLOAT_WEIGHTS, read_weights
from sr.pretrained.catalogue import PREFIX, deployed_net, load


def trained(source: str | None, *, scale: float) -> Net:
    """Make a trained float net in its inference form, in evaluation mode.

    Args:
        source: a finished run's folder, its `float/weights.safetensors`, or pretrained/<name>.
        scale: of the shipped net; a run's net has its own.

    Returns:
        A module: lr (N, C, h, w) in [0, 1] -> sr (N, C, s*h, s*w) in [0, 1], with `scale` and `color`.

    Raises:
        ValueError: none is named, it is not there, its run is not finished, or the file does not say whose it is.
    """
    if not source:
        raise ValueError(
            "no teacher is named: give a finished run's folder or a shipped net, such as "
            "task.teacher.source=pretrained/quicksrnet_small"
        )
    if source.startswith(PREFIX):
        return load(source.removeprefix(PREFIX), scale=scale)
    path = Path(source) / FLOAT_WEIGHTS if Path(source).is_dir() else Path(source)
    if not path.is_file():
        raise ValueError(
            f"no trained net at {path}: give the folder of a run that is finished (it then has {FLOAT_WEIGHTS}), or "
            "pretrained/<name>"
        )
    state = read_weights(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"{path} does not say which net it is of; give the folder of its run, or {FLOAT_WEIGHTS}")
    with safe_open(path, framework="pt") as file:
        config = (file.metadata() or {}).get("config")
    if config is None:
        raise ValueError(f"{path} does not say which net it is of; only files that a run wrote do")
    return deployed_net(json.loads(config)["model"], state, source=str(path))
