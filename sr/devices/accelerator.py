"""The device that training and quantization run on: an NVIDIA or AMD GPU through CUDA's interface, or the CPU."""

import os
from typing import Any

import torch

from sr.devices.world import World, current_world


def training_device(accelerator: str, world: World | None = None) -> torch.device:
    """Return the device of this process.

    Args:
        accelerator: "auto" takes a GPU if torch sees one, "gpu" needs one, "cpu" takes none.
        world: Place of this process; by default as the environment says.

    Raises:
        ValueError: There is no GPU that torch can use.

    >>> training_device("cpu")
    device(type='cpu')
    """
    if accelerator == "cpu" or (accelerator == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise ValueError(f"machine.accelerator=gpu: {_why_none()}; use machine.accelerator=cpu")
    world = world or current_world()
    return torch.device("cuda", world.local_rank if world.local_size > 1 else torch.cuda.current_device())


def one_device(accelerator: str) -> dict[str, Any]:
    """Return the settings of a Lightning trainer for the device of this process.

    Args:
        accelerator: `machine.accelerator`.

    Raises:
        ValueError: See `training_device`.
    """
    device = training_device(accelerator)
    return {"accelerator": device.type, "devices": 1 if device.index is None else [device.index]}


def num_devices(accelerator: str) -> int:
    """Return how many devices of a kind this machine has; of a CPU, the cores that this process may use."""
    if training_device(accelerator, World()).type == "cuda":
        return torch.cuda.device_count()
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def requested_devices(wanted: int | str, *, batch_size: int, accelerator: str, world: World) -> int:
    """Return the number of devices to train on, from the setting and from what started this process.

    Args:
        wanted: `machine.devices`: a number, or "auto" for as many as torchrun or srun started, else one.
        batch_size: Patches of a batch, which the devices share equally.
        accelerator: `machine.accelerator`.
        world: Place of this process.

    Raises:
        ValueError: torchrun or srun started another number, the machine has fewer, or the batch does not divide.

    >>> requested_devices("auto", batch_size=16, accelerator="cpu", world=World())
    1
    """
    count = world.size if wanted == "auto" else int(wanted)
    if world.size > 1 and count != world.size:
        raise ValueError(
            f"machine.devices={count}, but torchrun or srun started {world.size} processes; leave machine.devices out, "
            f"or start {count}"
        )
    local = world.local_size if world.size > 1 else count
    if local > 1 and local > (there := num_devices(accelerator)):
        kind = "GPUs" if training_device(accelerator, World()).type == "cuda" else "CPU cores"
        raise ValueError(f"machine.devices: {local} processes on this machine, which has {there} {kind}; use fewer")
    if batch_size % count:
        below = batch_size // count * count
        sizes = f"{below} or {below + count}" if below else str(count)
        raise ValueError(
            f"data.batch_size={batch_size} cannot be shared equally by {count} devices; the next sizes that can are "
            f"{sizes}"
        )
    return count


def _why_none() -> str:
    """Return why torch can use no GPU of this machine."""
    if torch.backends.mps.is_available():
        return "the GPU of this Mac (MPS) computes no float64, which scores and GPTQ need, and no eigenvectors for SOAP"
    return "torch sees no GPU here"
