"""Which arithmetic a training step may use on a machine."""

import logging

import torch

log = logging.getLogger(__name__)

PRECISIONS = ("fp32", "bf16")


def check_precision(precision: str) -> str:
    """Return the word if it is a precision of ours.

    Raises:
        ValueError: for another one.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"train.precision is fp32 or bf16, got {precision!r}")
    return precision


def check_machine(precision: str, device: torch.device) -> None:
    """Refuse a precision that a GPU lacks, and say where a CPU only emulates it.

    Args:
        precision: "fp32" or "bf16".
        device: The one that trains.

    Raises:
        ValueError: bf16 on a GPU without it.
    """
    if precision == "fp32":
        return
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        name = torch.cuda.get_device_name(device)
        raise ValueError(f"{name} cannot compute in bf16; set train.precision=fp32 (a new run folder)")
    if device.type == "cpu" and not torch.cpu._is_avx512_bf16_supported():
        log.warning("this CPU has no bf16 instructions and emulates them: train.precision=fp32 is faster here")
