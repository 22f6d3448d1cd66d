"""Save and load weights: safetensors with the config as metadata, run folders, checkpoints and model zoo files."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from sr.models.basicsr_names import from_basicsr_names
from sr.models.blocks import inference_form
from sr.models.rfdn_names import from_rfdn_names
from sr.models.state_dicts import (
    refuse_nonfinite,
    refuse_other_kinds,
    refuse_other_tensors,
    tensors_of,
    without_prefixes,
)
from sr.models.zoo import check_form, convert_zoo_names
from sr.runs.files import write_atomically

CHECKPOINT = "checkpoints/last.ckpt"
FLOAT_WEIGHTS = "float/weights.safetensors"
LIGHTNING = "pytorch-lightning_version"  # a key of every checkpoint that a Trainer wrote

LINES = 8  # of a message about weights that do not fit, besides its first and last

State = Mapping[str, Tensor]


def save_weights(net: nn.Module, path: Path, metadata: Mapping[str, Any]) -> None:
    """Save the state of a net as safetensors, atomically.

    Args:
        net: The net.
        path: The file.
        metadata: Name -> value; values are stored as JSON.
    """
    state = {name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()}
    write_atomically(path, save(state, {key: json.dumps(value) for key, value in metadata.items()}))


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict from a run folder, a .safetensors file, or a checkpoint (also of the AIMET model zoo).

    A run folder stands for its newest checkpoint. From a checkpoint of this project, the weight average (EMA) is read
    if there is one. Only tensors and plain containers are unpickled.

    Args:
        path: The folder or file.

    Returns:
        Parameter name -> tensor.

    Raises:
        ValueError: If the path does not exist, or the file is damaged, of another kind, has no weights, or has values
            that are not finite.
    """
    path = Path(path)
    if path.is_dir():
        candidates = [path / CHECKPOINT, path / FLOAT_WEIGHTS]
        path = next((file for file in candidates if file.is_file()), candidates[0])
    if not path.is_file():
        raise ValueError(
            f"no weights at {path}; give a run folder, a checkpoint (.ckpt, .pt, .pth) or a .safetensors file"
        )
    refuse_other_kinds(path)
    state = _of_safetensors(path) if path.suffix == ".safetensors" else _of_checkpoint(path)
    refuse_other_tensors(state, str(path))
    refuse_nonfinite(state, str(path))
    return state


def _of_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file ({error}); give a whole copy of it") from error


def _of_checkpoint(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = " ".join(str(error).partition("\n")[0].split())
        raise ValueError(
            f"{path} cannot be read as a checkpoint ({type(error).__name__}{f': {reason}' if reason else ''}); it is "
            "damaged, or holds Python objects, which are not loaded for safety; give a whole copy of it, with tensors "
            "alone"
        ) from error
    if not isinstance(content, dict) or LIGHTNING not in content or not isinstance(content.get("state_dict"), dict):
        return tensors_of(content, str(path))
    state: dict[str, Tensor] = content["state_dict"]
    for prefix in ("average.net.", "net."):
        if found := {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}:
            return found
    return state  # of another Lightning project, or of a net without weights


def blended(first: State, second: State, alpha: float) -> dict[str, Tensor]:
    """Interpolate two nets (network interpolation): (1 - alpha) * first + alpha * second.

    Between a pixel-loss run and an adversarial run that started from it, alpha trades fidelity for texture without
    training. Integer tensors are taken from `first`.

    Args:
        first: Parameter name -> tensor.
        second: The same names and shapes.
        alpha: Weight of `second`, in [0, 1].

    Returns:
        Parameter name -> interpolated tensor.

    Raises:
        ValueError: If alpha is outside [0, 1], or names or shapes differ.

    Source: ESRGAN, arXiv 1809.00219, section 3.4.

    Example:
        >>> blended({"w": torch.zeros(2)}, {"w": torch.ones(2)}, 0.25)
        {'w': tensor([0.2500, 0.2500])}
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be in [0, 1], got {alpha}")
    differing = [
        name
        for name in sorted({*first, *second})
        if name not in first or name not in second or first[name].shape != second[name].shape
    ]
    if differing:
        raise ValueError(
            f"init and blend are weights of different nets: {', '.join(differing[:4])}{' ...' * (len(differing) > 4)} "
            "differ; give two runs of one model and scale"
        )
    return {
        name: torch.lerp(value, second[name], alpha) if value.is_floating_point() else value
        for name, value in first.items()
    }


def load_weights(net: nn.Module, state: State, *, source: str, leave: Sequence[str] = ()) -> None:
    """Load a state dict into a net; every key must fit. Names of other projects are converted.

    Args:
        net: The net in its training form; changed in place.
        state: Parameter name -> tensor.
        source: Origin of the state, for the error message.
        leave: Layers that keep their initial weights, with all layers inside them, such as the last convolution when
            the scale differs.

    Raises:
        ValueError: If a key is missing, unknown or has another shape, or `leave` names an unknown layer. The message
            lists all such keys with advice, and the net stays unchanged.
    """
    own = net.state_dict()
    check_form(net, state)
    for layer in leave:
        if not any(is_left(name, [layer]) for name in own):
            raise ValueError(f"init_leave={layer!r} is no layer of {type(net).__name__}; it has {_layers(own)}")
    origins = {id(value): name for name, value in state.items()}
    renamed = convert_zoo_names(from_basicsr_names(from_rfdn_names(without_prefixes(state, own))), own)
    state = {name: value for name, value in renamed.items() if not is_left(name, leave)}
    wanted = {name: value for name, value in own.items() if not is_left(name, leave)}
    missing, extra = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    misshaped = [name for name in sorted(wanted.keys() & state.keys()) if state[name].shape != wanted[name].shape]
    if missing or extra or misshaped:
        lines = _shortened(
            [f"missing {name} {tuple(wanted[name].shape)}" for name in missing],
            [f"extra {origins.get(id(state[name]), name)} {tuple(state[name].shape)}" for name in extra],
            [
                f"shape of {origins.get(id(state[name]), name)}: {tuple(state[name].shape)} there, "
                f"{tuple(wanted[name].shape)} here"
                for name in misshaped
            ],
        )
        what = f"the weights of {source} do not fit this {type(net).__name__}:"
        raise ValueError("\n  ".join([what, *lines]) + "\n" + _advice(net, state, wanted, [*missing, *misshaped]))
    net.load_state_dict({**own, **state})


def _shortened(*kinds: list[str]) -> list[str]:
    """Return at most 8 lines of several kinds, of each as many, and how many are left out."""
    if sum(map(len, kinds)) <= LINES:
        return [line for lines in kinds for line in lines]
    share = (LINES - 1) // sum(1 for lines in kinds if lines)
    shown = [line for lines in kinds for line in lines[:share]]
    return [*shown, f"... and {sum(map(len, kinds)) - len(shown)} more"]


def is_left(name: str, leave: Sequence[str]) -> bool:
    """Return whether a parameter or layer is one of the given layers, or inside one.

    Args:
        name: Name of the parameter or layer.
        leave: Names of layers.

    Example:
        >>> is_left("body.1.weight", ["body.1"]), is_left("body.10.weight", ["body.1"])
        (True, False)
    """
    return any(f"{name}.".startswith(f"{layer}.") for layer in leave)


def _advice(net: nn.Module, state: State, wanted: State, lacking: list[str]) -> str:
    """Return advice for weights that do not fit; `lacking` are the parameters that they do not provide."""
    deployed, trained = inference_form(net).state_dict().keys(), net.state_dict().keys()
    if deployed != trained and state.keys() <= deployed:
        return (
            "These are weights of the inference form, but this net trains in an expanded form: give the run folder or "
            "its checkpoint, or train in the inference form (model.overparameterize=none, if the model has it)"
        )
    if any(".branches." in name for name in state) and not any(".branches." in name for name in wanted):
        return "They were trained with branches: set model.overparameterize to the value of their run"
    if not lacking or len(lacking) > len(wanted) / 2:
        return "Set their model and scale"
    scale = _scale_of(net, state, wanted, lacking)
    known = f"Their shapes fit x{scale}, this net is for x{net.scale}" if scale else "Set their model and scale"
    return f"{known}; or keep the initial weights of these layers with init_leave=[{_layers(lacking)}]"


def _scale_of(net: nn.Module, state: State, wanted: State, lacking: list[str]) -> int | None:
    """Return the scale of weights that differ only in the channels before depth-to-space, else None."""
    block = 3 if net.scale == 1.5 else cast(int, net.scale)
    scales = set()
    for name in lacking:
        there, here = (each[name].shape if name in each else torch.Size() for each in (state, wanted))
        if there[1:] != here[1:] or not there:
            return None
        scales.add(block * math.sqrt(there[0] / here[0]))
    scale = scales.pop()
    return int(scale) if not scales and scale in (2, 3, 4) else None


def _layers(names: Iterable[str]) -> str:
    """Join the names of the layers of parameters; the branches of a block count as one layer."""
    return ",".join(
        dict.fromkeys(name.partition(".branches.")[0].removesuffix(".weight").removesuffix(".bias") for name in names)
    )
