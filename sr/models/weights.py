"""Weights in and out: safetensors with the config in its metadata; loading names every key that does not fit."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from sr.models.blocks import inference_form
from sr.models.rfdn_names import from_rfdn_names
from sr.models.state_dicts import refuse_nonfinite, refuse_other_kinds, tensors_of, without_prefixes
from sr.models.zoo import check_form, convert_zoo_names
from sr.runs.files import write_atomically

CHECKPOINT = "checkpoints/last.ckpt"
FLOAT_WEIGHTS = "float/weights.safetensors"
LIGHTNING = "pytorch-lightning_version"  # a key of every checkpoint that a Trainer wrote

LINES = 8  # of a message about weights that do not fit, besides its first and last

State = Mapping[str, Tensor]


def save_weights(net: nn.Module, path: Path, metadata: Mapping[str, Any]) -> None:
    """Write a net's state as safetensors, atomically, each metadata value as JSON."""
    state = {name: value.detach().cpu().contiguous() for name, value in net.state_dict().items()}
    write_atomically(path, save(state, {key: json.dumps(value) for key, value in metadata.items()}))


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a state dict from a run folder, a .safetensors file, or a checkpoint of ours or of another project.

    A run folder gives the newest checkpoint, and of our checkpoint the weight average where it holds one. Only tensors
    and plain containers are unpickled.

    Raises:
        ValueError: nothing there, or a file that is damaged, is of another kind, holds no weights, or values that are
            not finite.
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
    if not isinstance(content, dict) or LIGHTNING not in content:
        return tensors_of(content, str(path))
    state: dict[str, Tensor] = content["state_dict"]
    for prefix in ("average.net.", "net."):
        if found := {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}:
            return found
    return state  # of another Lightning project, or of a net without weights


def blended(first: State, second: State, alpha: float) -> dict[str, Tensor]:
    """Network interpolation: (1 - alpha) * first + alpha * second; whole numbers are the first one's.

    Between the weights of a pixel-loss run and of an adversarial run that started from it, this dials fidelity against
    texture without training (ESRGAN, arXiv 1809.00219, section 3.4).

    Args:
        first: name -> tensor.
        second: the same names and shapes.
        alpha: in [0, 1].

    Raises:
        ValueError: another alpha, or weights of different nets.

    Example:
        >>> blended({"w": torch.zeros(2)}, {"w": torch.ones(2)}, 0.25)
        {'w': tensor([0.2500, 0.2500])}
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is the second one's share, in [0, 1]; got {alpha}")
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
    """Load a state dict into a net; every key must fit. Names of the AIMET model zoo are known (`sr.models.zoo`).

    Args:
        net: the net, in its training form; changed in place.
        state: name -> tensor.
        source: where the state came from, for the message.
        leave: layers that keep the net's own start, with all below them (the last convolution of another scale, say).

    Raises:
        ValueError: lists each missing, extra and mis-shaped key and says what to do, or a layer to leave that is
            none; the net is unchanged then.
    """
    own = net.state_dict()
    check_form(net, state)
    for layer in leave:
        if not any(is_left(name, [layer]) for name in own):
            raise ValueError(f"init_leave={layer!r} is no layer of {type(net).__name__}; it has {_layers(own)}")
    origins = {id(value): name for name, value in state.items()}
    renamed = convert_zoo_names(from_rfdn_names(without_prefixes(state, own)), own)
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
    """Whether a parameter or a layer is one of those to leave, or below one.

    Example:
        >>> is_left("body.1.weight", ["body.1"]), is_left("body.10.weight", ["body.1"])
        (True, False)
    """
    return any(f"{name}.".startswith(f"{layer}.") for layer in leave)


def _advice(net: nn.Module, state: State, wanted: State, lacking: list[str]) -> str:
    """Say what weights that do not fit look like, and what to do; `lacking` are the names that they cannot give."""
    deployed, trained = inference_form(net).state_dict().keys(), net.state_dict().keys()
    if deployed != trained and state.keys() <= deployed:
        return (
            "These are weights of the deployed form, and this net trains in another, from which that one is collapsed: "
            "give the run folder or its checkpoint, or train in the deployed form (model.overparameterize=none, where "
            "the model has it)"
        )
    if any(".branches." in name for name in state) and not any(".branches." in name for name in wanted):
        return "They were trained in branches: set model.overparameterize as it was then"
    if not lacking or len(lacking) > len(wanted) / 2:
        return "Give the model and scale that they were made with"
    scale = _scale_of(net, state, wanted, lacking)
    known = f"Their shapes fit x{scale}, this net is for x{net.scale}" if scale else "Give their model and scale"
    return f"{known}; or keep these layers' own start with init_leave=[{_layers(lacking)}]"


def _scale_of(net: nn.Module, state: State, wanted: State, lacking: list[str]) -> int | None:
    """Find the scale of foreign weights that differ in nothing but the channels in front of depth-to-space."""
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
    """Join the layers that parameters belong to; the branches of a block are one."""
    return ",".join(
        dict.fromkeys(name.partition(".branches.")[0].removesuffix(".weight").removesuffix(".bias") for name in names)
    )
