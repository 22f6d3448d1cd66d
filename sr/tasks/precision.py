"""Checks of the training precision (fp32 or bf16)."""

import logging

import torch

log = logging.getLogger(__name__)

PRECISIONS = ("fp32", "bf16")


def check_precision(precision: str) -> str:
    """Return the precision if it is known.

    Args:
        precision: "fp32" or "bf16".

    Raises:
        ValueError: If it is unknown.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"train.precision must be fp32 or bf16, got {precision!r}")
    return precision


def check_machine(precision: str, device: torch.device) -> None:
    """Raise ValueError if a GPU lacks the precision; log a warning if a CPU emulates it.

    Args:
        precision: "fp32" or "bf16".
        device: The training device.

    Raises:
        ValueError: If the GPU cannot compute in bf16.
    """
    if precision == "fp32":
        return
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        name = torch.cuda.get_device_name(device)
        raise ValueError(f"{name} cannot compute in bf16; set train.precision=fp32 (a new run folder)")
    if device.type == "cpu" and not torch.cpu._is_avx512_bf16_supported():
        log.warning("this CPU has no bf16 instructions and emulates them: train.precision=fp32 is faster here")
