"""Weights in and out: safetensors with the config in its metadata, and loading that names every key that does not fit."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from sr.rundir.files import write_atomically

CHECKPOINT = "checkpoints/last.ckpt"
FLOAT_WEIGHTS = "float/weights.safetensors"


def save_weights(net: nn.Module, path: Path, metadata: Mapping[str, Any]) -> None:
    """Write a net's state as safetensors, atomically, each metadata value as JSON."""
    state = {name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()}
    write_atomically(path, save(state, {key: json.dumps(value) for key, value in metadata.items()}))


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict from a run folder, a checkpoint of this project or a .safetensors file.

    A run folder gives the newest checkpoint, and of a checkpoint the weight average where it holds one. Only tensors and
    plain containers are unpickled.

    Raises:
        ValueError: nothing there, or a file that is damaged or holds no weights.
    """
    path = Path(path)
    if path.is_dir():
        candidates = [path / CHECKPOINT, path / FLOAT_WEIGHTS]
        path = next((file for file in candidates if file.is_file()), candidates[0])
    if not path.is_file():
        raise ValueError(
            f"no weights at {path}; give a run folder, a checkpoint (.ckpt, .pt, .pth) or a .safetensors file"
        )
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, framework="pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        except SafetensorError as error:
            raise ValueError(f"{path} is not a whole safetensors file ({error}); get or train it again") from error
    return _of_checkpoint(path)


def _of_checkpoint(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read as a checkpoint ({type(error).__name__}: {str(error).splitlines()[0]}); it is damaged, "
            "or holds Python objects, which are not loaded for safety. Remove it to start anew"
        ) from error
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path} holds no state dict of tensors; got {type(content).__name__}")
    for prefix in ("average.net.", "net."):
        if found := {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}:
            return found
    return state


def load_weights(net: nn.Module, state: Mapping[str, Tensor], *, source: str, leave: Sequence[str] = ()) -> None:
    """Load a state dict into a net; every key must fit.

    Args:
        net: the net; changed in place.
        state: name -> tensor.
        source: where the state came from, for the message.
        leave: prefixes of names that keep the net's own initialisation (the last convolution of another scale, say).

    Raises:
        ValueError: lists each missing, extra and mis-shaped key; the net is unchanged then.
    """
    own = net.state_dict()
    state = {name: value for name, value in state.items() if not name.startswith(tuple(leave))}
    wanted = {name for name in own if not name.startswith(tuple(leave))}
    problems = [f"missing {name} {tuple(own[name].shape)}" for name in sorted(wanted - state.keys())]
    problems += [f"extra {name} {tuple(state[name].shape)}" for name in sorted(state.keys() - wanted)]
    problems += [
        f"shape of {name}: {tuple(state[name].shape)} there, {tuple(own[name].shape)} here"
        for name in sorted(wanted & state.keys())
        if state[name].shape != own[name].shape
    ]
    if problems:
        raise ValueError(
            f"the weights of {source} do not fit this {type(net).__name__}:\n  "
            + "\n  ".join(problems)
            + "\nGive the model "
            "and scale that they were made with, or keep some layers' own start with init_leave=[conv_last]"
        )
    net.load_state_dict({**own, **state})
