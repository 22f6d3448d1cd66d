"""Load a trained net: a pretrained one, that of a finished run, or one of another project."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from sr.models.net import Net
from sr.models.state_dicts import refuse_other_kinds
from sr.models.weights import FLOAT_WEIGHTS, read_weights
from sr.pretrained.catalogue import PREFIX, deployed_net, load
from sr.pretrained.spandrel_net import load_with_spandrel


def trained(source: str | None, *, scale: float) -> Net:
    """Load a trained float net in its inference form and evaluation mode.

    Args:
        source: Folder of a finished run, its `float/weights.safetensors`, pretrained/<name>, or a checkpoint of another
            project that spandrel knows.
        scale: Scale of a pretrained net; others have their own.

    Returns:
        Module lr (N, C, h, w) in [0, 1] -> sr (N, C, s*h, s*w) in [0, 1].

    Raises:
        ValueError: If no source is given, it does not exist, its run is not finished, or the file is not one of a net.
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
    config = _config(path) if path.suffix == ".safetensors" else None
    if config is None:
        return load_with_spandrel(path)
    return deployed_net(json.loads(config)["model"], read_weights(path), source=str(path))


def _config(path: Path) -> str | None:
    """Return the config that a run of this project wrote into its weights; None for other files."""
    refuse_other_kinds(path)
    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("config")
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file ({error}); give a whole copy of it") from error
