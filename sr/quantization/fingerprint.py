"""What a stage's kept result was made from, so that it is never taken for the result of something else."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from torch import Tensor, nn

from sr.quantization.scheme import Stage, StageInputs
from sr.quantization.simulation import read_plain

log = logging.getLogger(__name__)


def identity(stage: Stage, net: nn.Module, material: StageInputs, *others: nn.Module) -> str:
    """Hash of what decides a stage's result: its arguments, the simulated net that it starts from, its material.

    `others` are further nets that it learns from.

    The stream and the loss are code and cannot be hashed; whoever calls a stage locks their settings.
    """
    digest = hashlib.sha256(f"{stage} {material.seed}".encode())
    for module in (net, material.float_net, *others):
        for name, value in module.state_dict().items():
            if isinstance(value, Tensor):
                _add(digest, name, value)
    for batch in material.calibration:
        _add(digest, "calibration", batch)
    return digest.hexdigest()


def is_ours(path: Path, ours: str) -> bool:
    """Whether a kept file exists and was made from the same things; one that was not is reported and made again.

    Raises:
        ValueError: the file cannot be read.
    """
    if not path.is_file():
        return False
    if read_plain(path).get("identity") == ours:
        return True
    log.warning("%s was made from another net or with other settings: it is made again", path)
    return False


def _add(digest: hashlib._Hash, name: str, value: Tensor) -> None:
    digest.update(f"{name} {tuple(value.shape)} ".encode() + value.detach().cpu().contiguous().numpy().tobytes())
