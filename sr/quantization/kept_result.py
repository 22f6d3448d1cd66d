"""Files that a repair step keeps for a restart, each with the fingerprint of the inputs it was made from."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from sr.models.fingerprint import fingerprint
from sr.quantization.simulation import read_plain, write_plain
from sr.quantization.steps import StepInputs

log = logging.getLogger(__name__)


def step_fingerprint(step: object, net: nn.Module, inputs: StepInputs, *others: nn.Module) -> str:
    """Return the fingerprint of everything that decides a step's result.

    The stream and the loss are code and cannot be hashed; the caller of a step locks their settings.

    Args:
        step: The step; its `str` gives all settings.
        net: Simulated net that the step starts from.
        inputs: Float net, calibration crops and seed.
        others: Further nets that the step learns from.
    """
    return fingerprint(str(step), inputs.seed, net, inputs.float_net, *others, *inputs.calibration)


def is_current(path: Path, expected: str) -> bool:
    """Return whether a kept file exists and has the expected fingerprint; warn if it has another one.

    Raises:
        ValueError: The file cannot be read.
    """
    if not path.is_file():
        return False
    if read_plain(path).get("identity") == expected:
        return True
    log.warning("%s was made from another net or with other settings: it is made again", path)
    return False


def kept_or_made(path: Path, expected: str, make: Callable[[], Any]) -> Any:
    """Return the content of a kept file; if it is missing or outdated, make the content and keep it first.

    Args:
        path: The file.
        expected: Its fingerprint, see `step_fingerprint`.
        make: Function that computes the content, tensors and plain containers.
    """
    if not is_current(path, expected):
        content = {"identity": expected, "content": make()}
        write_plain(path, content)
    return read_plain(path)["content"]
