"""State dicts inside other people's files: which kind of file it is, where the tensors lie, and their prefixes."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

STATE_KEYS = ("params_ema", "params", "state_dict", "model_state_dict", "model", "net", "generator", "ema", "weights")
"""Keys of a checkpoint under which a state dict lies, best first (BasicSR, PyTorch's tutorials, timm, KAIR)."""
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "netG.", "generator.", "student.")
"""What `DataParallel`, `torch.compile`, Lightning modules and AIMET's containers put before all names."""
OTHER_KINDS = (
    (b"version https://git-lfs", "is a Git LFS pointer, not the file itself; fetch that with `git lfs pull`"),
    (b"<!doctype", "is a web page, not weights; download the file that the page offers"),
    (b"<html", "is a web page, not weights; download the file that the page offers"),
    (b"\x89hdf", "is an HDF5 file (Keras), which is not read; give a PyTorch or safetensors file"),
    (b"\x1f\x8b", "is compressed with gzip; unpack it first"),
)
SHOWN = 5
"""Names of keys or tensors that a message lists."""


def refuse_other_kinds(path: Path) -> None:
    """Refuse a file that is no weights, or whose name says another format than its content.

    Args:
        path: An existing file that stands for weights.

    Raises:
        ValueError: Says what the file is and what to give in its place.
    """
    size = path.stat().st_size
    if size == 0:
        raise ValueError(f"{path} is empty (0 bytes); give a whole copy of it")
    with open(path, "rb") as file:
        start = file.read(32)
    for mark, what in OTHER_KINDS:
        if start.lower().startswith(mark):
            raise ValueError(f"{path} {what}")
    if path.suffix.lower() == ".onnx":
        raise ValueError(f"{path} is an ONNX graph, whose weights are not read; give the PyTorch or safetensors file")
    if start[4:8] == b"TFL3":
        raise ValueError(f"{path} is a TensorFlow Lite model, which is not read; give a PyTorch or safetensors file")
    is_safetensors = start[8:9] == b"{" and 2 <= int.from_bytes(start[:8], "little") <= size - 8
    if is_safetensors and path.suffix != ".safetensors":
        raise ValueError(f"{path} is a safetensors file under another name; call it {path.stem}.safetensors")
    if path.suffix == ".safetensors" and start.startswith(b"PK\3\4"):
        raise ValueError(f"{path} is a PyTorch checkpoint, not safetensors; call it {path.stem}.pth")


def tensors_of(content: Any, source: str) -> dict[str, Tensor]:
    """Return the state dict of a checkpoint: the content itself, or what lies under one of the usual keys.

    Args:
        content: What `torch.load` gave.
        source: Name of the file, for the message.

    Raises:
        ValueError: There is none; the message names the keys that there are.

    >>> list(tensors_of({"epoch": 3, "params_ema": {"a": torch.zeros(1)}, "params": {"b": torch.zeros(1)}}, "x.pth"))
    ['a']
    """
    found = _state_dict(content)
    if found is None:
        got = type(content).__name__
        if isinstance(content, Mapping):
            got = f"the keys {', '.join(map(str, list(content)[:SHOWN]))}{' ...' * (len(content) > SHOWN)}"
        raise ValueError(
            f"{source} holds no state dict of tensors; got {got}. Save `net.state_dict()` by itself, or under one of "
            f"{', '.join(STATE_KEYS)}"
        )
    return found


def _state_dict(content: Any, depth: int = 2) -> dict[str, Tensor] | None:
    """Look for a mapping of names to tensors, at most `depth` levels below."""
    if not isinstance(content, Mapping):
        return None
    if content.keys() and all(isinstance(value, Tensor) for value in content.values()):
        return {str(name): value for name, value in content.items()}
    inner = (_state_dict(content[key], depth - 1) for key in STATE_KEYS if key in content) if depth else iter(())
    return next((state for state in inner if state is not None), None)


def without_prefixes(state: Mapping[str, Tensor], wanted: Collection[str]) -> dict[str, Tensor]:
    """Remove what wrappers put before all names, unless the net's own names begin so.

    Args:
        state: name -> tensor.
        wanted: Names of the net.

    >>> list(without_prefixes({"module._orig_mod.a.bias": torch.zeros(1), "n_averaged": torch.zeros(())}, ["a.bias"]))
    ['a.bias']
    """
    names = {name: name.replace("._orig_mod.", ".") for name in state if name != "n_averaged"}  # SWA's counter
    while prefix := next((each for each in PREFIXES if _common(names.values(), each, wanted)), ""):
        names = {name: short.removeprefix(prefix) for name, short in names.items()}
    return {short: state[name] for name, short in names.items()}


def _common(names: Collection[str], prefix: str, wanted: Collection[str]) -> bool:
    """Whether all names begin with a prefix that no name of the net has."""
    return (
        bool(names)
        and all(name.startswith(prefix) for name in names)
        and not any(name.startswith(prefix) for name in wanted)
    )


def refuse_other_tensors(state: Mapping[str, Any], source: str) -> None:
    """Refuse what is no tensor of plain numbers: sparse, quantized and complex ones, and those without their values.

    A tensor of strides 0 takes a few bytes in the file and any amount of memory once it is computed with.

    Raises:
        ValueError: Names the tensor.

    >>> refuse_other_tensors({"a": torch.zeros(1).expand(10**9)}, "x.pth")
    Traceback (most recent call last):
    ValueError: x.pth: a claims 1000000000 values and holds 1; give weights as plain dense tensors
    """
    for name, value in state.items():
        what = ""
        if not isinstance(value, Tensor):
            what = f"{name} is a {type(value).__name__}"
        elif value.layout != torch.strided or value.is_quantized or value.is_complex() or value.is_meta:
            kind = "quantized" if value.is_quantized else "meta" if value.is_meta else str(value.layout)
            what = f"{name} is a {'complex' if value.is_complex() else kind.removeprefix('torch.')} tensor"
        elif value.numel() * value.element_size() > value.untyped_storage().nbytes():
            held = value.untyped_storage().nbytes() // value.element_size()
            what = f"{name} claims {value.numel()} values and holds {held}"
        if what:
            raise ValueError(f"{source}: {what}; give weights as plain dense tensors")


def refuse_nonfinite(state: Mapping[str, Tensor], source: str) -> None:
    """Refuse weights that hold an infinity or a NaN.

    Raises:
        ValueError: Names the tensors.
    """
    wrong = [
        name for name, value in state.items() if value.is_floating_point() and not torch.isfinite(value.float()).all()
    ]
    if wrong:
        names = f"{', '.join(wrong[:SHOWN])}{' ...' * (len(wrong) > SHOWN)}"
        raise ValueError(
            f"{source} holds infinite or NaN values in {names}: the training that wrote it diverged, or the file is "
            "damaged; give other weights"
        )
