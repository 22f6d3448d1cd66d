"""Load a trained net: a pretrained one, or that of a finished run."""

import json
from pathlib import Path

from safetensors import safe_open

from sr.models.net import Net
from sr.models.weights import FLOAT_WEIGHTS, read_weights
from sr.pretrained.catalogue import PREFIX, deployed_net, load


def trained(source: str | None, *, scale: float) -> Net:
    """Load a trained float net in its inference form and evaluation mode.

    Args:
        source: Folder of a finished run, its `float/weights.safetensors`, or pretrained/<name>.
        scale: Scale of a pretrained net; a run has its own.

    Returns:
        Module lr (N, C, h, w) in [0, 1] -> sr (N, C, s*h, s*w) in [0, 1].

    Raises:
        ValueError: If no source is given, it does not exist, its run is not finished, or the file has no config.
    """
    if not source:
        raise ValueError(
            "no teacher is given: give the folder of a finished run or a pretrained net, such as "
            "task.teacher.source=pretrained/quicksrnet_small"
        )
    if source.startswith(PREFIX):
        return load(source.removeprefix(PREFIX), scale=scale)
    path = Path(source) / FLOAT_WEIGHTS if Path(source).is_dir() else Path(source)
    if not path.is_file():
        raise ValueError(
            f"no trained net at {path}: give the folder of a finished run (which has {FLOAT_WEIGHTS}), or "
            "pretrained/<name>"
        )
    state = read_weights(path)
    if path.suffix != ".safetensors":
        raise ValueError(
            f"{path} does not contain the config of its net; give the folder of its run, or {FLOAT_WEIGHTS}"
        )
    with safe_open(path, framework="pt") as file:
        config = (file.metadata() or {}).get("config")
    if config is None:
        raise ValueError(f"{path} does not contain the config of its net; give a file that a run of this project wrote")
    return deployed_net(json.loads(config)["model"], state, source=str(path))
