"""Keep what training made: checkpoint, figures, and the deployable net as safetensors, under one key."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch
from torch import nn

from sr.models.blocks import inference_form
from sr.models.fingerprint import fingerprint
from sr.models.net import Net
from sr.models.weights import CHECKPOINT, FLOAT_WEIGHTS, LIGHTNING, load_weights, read_weights, save_weights
from sr.report.provenance import maker
from sr.runs.files import read_json, write_atomically, write_json
from sr.runs.identity import kept_config
from sr.runs.ownership import settings_of
from sr.runs.results import lost_files, read_result, result_key, write_result
from sr.tasks.regression import Regression

TRAINED_RESULT = "float/weights.json"
TRAINING_FIGURES = "training.json"
_VERSION = 1
NO_TRAINING = {"seconds": 0.0, "loader_wait_seconds": 0.0, "iterations": 0}
_KEPT = (CHECKPOINT, TRAINING_FIGURES, FLOAT_WEIGHTS, "rounds/*.safetensors", "images/validation.png")


def training_key(task: Regression, config: Mapping[str, Any], images: str) -> str:
    """Return the key of a training that is about to start.

    Args:
        task: with the weights that it starts from; those of a teacher count, too.
        config: plain containers, with the net that filter pruning left.
        images: hash of the training images.
    """
    start = fingerprint(task, *task.learns_from())
    return result_key("train", _VERSION, settings_of("train", config), {"start": start, "images": images})


def is_trained(folder: Path) -> bool:
    """Whether the training of a run is finished and its files are as they were written."""
    content = read_result(folder / TRAINED_RESULT)
    return bool(content) and not lost_files(folder, content, hashes=True)


def write_untrained(task: Regression, folder: Path) -> None:
    """Write what a training of no iterations leaves: the net in its training form, and empty figures."""
    content = {"state_dict": task.state_dict(), LIGHTNING: lightning.__version__, "global_step": 0}
    write_atomically(folder / CHECKPOINT, lambda path: torch.save(content, path))
    write_json(folder / TRAINING_FIGURES, NO_TRAINING)


def write_trained(task: Regression, folder: Path, key: str) -> None:
    """Write the deployable net and, last, the mark that the training is finished.

    Args:
        task: at the end of training.
        folder: of the run; checkpoint and figures are there.
        key: of the training.
    """
    figures = read_json(folder / TRAINING_FIGURES)
    write_json(folder / TRAINING_FIGURES, figures | {"facts": task.facts()})
    about = {"config": kept_config(folder), "iterations": figures["iterations"]}
    save_weights(task.deployable(), folder / FLOAT_WEIGHTS, about)
    files = [path.relative_to(folder).as_posix() for pattern in _KEPT for path in folder.glob(pattern)]
    outcome = {"file": FLOAT_WEIGHTS, "iterations": figures["iterations"], "seconds": round(figures["seconds"], 3)}
    write_result(folder, TRAINED_RESULT, {**outcome, "stage": "train", "key": key, "made_by": maker()}, files)


def trained_net(net: nn.Module, folder: Path) -> Net:
    """Give a net the weights that the training of a run ended with.

    Args:
        net: as it is trained; it is not used any more.
        folder: of the run.

    Returns:
        The net in its inference form, on the CPU, in evaluation mode: what the live task's `deployable` gave.
    """
    deployed: Any = inference_form(net)
    load_weights(deployed, read_weights(folder / FLOAT_WEIGHTS), source=str(folder / FLOAT_WEIGHTS))
    return deployed.to(memory_format=torch.contiguous_format).eval()
