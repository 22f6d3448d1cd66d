"""Read AIMET's encodings: JSON files of the ranges of a quantized net, of the formats 0.6.1, 1.0.0 and 2.0.0.

AIMET writes four layouts; all are read.

- 0.6.1 and 1.0.0 beside an ONNX file: `param_encodings` and `activation_encodings`, keyed by names of ONNX tensors.
- 0.6.1 of PyTorch (`<name>_torch.encodings`): activations keyed by module, then "input" or "output", then the index.
- 0.6.1 of AdaRound: weights only. Before AIMET 1.32 it had no `param_encodings` around them; the model zoo's
  `*_params_only.encodings` are of these kinds.
- 2.0.0: one list, with zero points in ONNX's sense and the integer grids of the biases.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENCODING_FORMATS = ("0.6.1", "1.0.0", "2.0.0")
BIAS_BITS = 32  # 2.0.0 also holds the biases, whose grids follow from those of input and weights


@dataclass(frozen=True, kw_only=True)
class TensorGrid:
    """Values that a quantized tensor can have: scale * n, for n from `lowest` to lowest + 2**bits - 1.

    Attributes:
        bits: Number of bits.
        scale: One step, or one for each channel; above 0.
        lowest: Smallest n, or one for each channel; what the formats before 2.0.0 call offset.
    """

    bits: int
    scale: tuple[float, ...]
    lowest: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class AimetEncodings:
    """Content of a file of encodings.

    Attributes:
        path: The file.
        grids: Tensor -> its grid. A tensor is a parameter ("cnn.0.weight"), a tensor of ONNX
            ("/cnn/cnn.1/Clip_output_0"), or an input or output of a module ("cnn.1:output:0").
    """

    path: Path
    grids: Mapping[str, TensorGrid]


def read_encodings(path: Path) -> AimetEncodings:
    """Read a file of encodings.

    Args:
        path: JSON file that AIMET wrote.

    Raises:
        ValueError: There is no such file, it is of another kind or format, or a value cannot be used. One line says
            which and what to give.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"no encodings at {path} ({error.strerror}); give the .encodings file of AIMET") from error
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({str(error)[:80]}); give the .encodings file of AIMET") from error
    if not isinstance(content, dict) or not content:
        raise ValueError(f"{path} holds no encodings; give the .encodings file of AIMET")
    if content.get("producer") == "sr":
        raise ValueError(
            f"{path} belongs to the net.onnx beside it, whose channels are in DCR order; give that pair to Qualcomm's "
            "converter, and here the encodings that AIMET wrote"
        )
    version = str(content.get("version", ENCODING_FORMATS[0]))
    if version not in ENCODING_FORMATS:
        raise ValueError(
            f"{path} has format {version}; the formats {', '.join(ENCODING_FORMATS)} are read: export it as one"
        )
    try:
        grids = _of_2_0_0(content) if version == "2.0.0" else _of_lists(content, _READERS[version])
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{path} is damaged or of another kind: {reason[:200]}; export it again") from error
    if not grids:
        raise ValueError(f"{path} holds no encodings; give the .encodings file of AIMET")
    return AimetEncodings(path=path, grids=grids)


def _of_lists(content: dict[str, Any], read: Any) -> dict[str, TensorGrid]:
    """Read 0.6.1 and 1.0.0, with parameters and activations apart."""
    named = "param_encodings" in content or "activation_encodings" in content
    parts = [content.get(key, {}) for key in ("param_encodings", "activation_encodings")] if named else [content]
    grids: dict[str, TensorGrid] = {}
    for part in parts:
        entries = part.items() if isinstance(part, dict) else ((entry["name"], entry) for entry in part)
        for name, entry in entries:
            for tensor, value in _tensors(name, entry):
                grids[tensor] = _checked(tensor, read(value))
    return grids


def _tensors(name: str, entry: Any) -> Iterable[tuple[str, Any]]:
    """Yield the tensors of an entry: one, or the inputs and outputs of a module in the layout of PyTorch."""
    if not isinstance(entry, dict) or not entry.keys() <= {"input", "output"}:
        yield name, entry
        return
    for side, each in entry.items():
        for index, value in each.items():
            yield f"{name}:{side}:{index}", [value]


def _of_0_6_1(entry: list[dict[str, Any]]) -> TensorGrid:
    kinds = {str(each.get("dtype", "int")) for each in entry}
    _refuse_floats(kinds - {"int"})
    (bits,) = {int(each["bitwidth"]) for each in entry}
    scales, lowest = (tuple(each[key] for each in entry) for key in ("scale", "offset"))
    return TensorGrid(bits=bits, scale=scales, lowest=lowest)


def _of_1_0_0(entry: dict[str, Any]) -> TensorGrid:
    _refuse_floats({str(entry["dtype"])} - {"INT"})
    if entry["enc_type"] not in ("PER_TENSOR", "PER_CHANNEL"):
        raise ValueError(f"{entry['name']} has scales {entry['enc_type']}; one a tensor or a channel can be simulated")
    return TensorGrid(bits=int(entry["bw"]), scale=tuple(entry["scale"]), lowest=tuple(entry["offset"]))


_READERS = {"0.6.1": _of_0_6_1, "1.0.0": _of_1_0_0}


def _of_2_0_0(content: dict[str, Any]) -> dict[str, TensorGrid]:
    grids = {}
    for entry in content["encodings"]:
        name, kind = entry["name"], str(entry["output_dtype"])
        _refuse_floats({kind} if not kind.removeprefix("u").startswith("int") else set())
        if "block_size" in entry or "per_block_int_scale" in entry:
            raise ValueError(f"{name} has scales for blocks; one a tensor or a channel can be simulated")
        bits = int(kind.removeprefix("u").removeprefix("int"))
        if bits == BIAS_BITS:
            continue
        scale = _as_list(entry["y_scale"])
        zero_points = _as_list(entry.get("y_zero_point") or [0] * len(scale))
        smallest = 0 if kind.startswith("u") else -(2 ** (bits - 1))
        lowest = tuple(smallest - int(zero) for zero in zero_points)
        grids[name] = _checked(name, TensorGrid(bits=bits, scale=tuple(scale), lowest=lowest))
    return grids


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _refuse_floats(kinds: set[str]) -> None:
    if kinds:
        raise ValueError(f"{', '.join(sorted(kinds))} is no integer type; a float net needs no encodings")


def _checked(name: str, grid: TensorGrid) -> TensorGrid:
    if not grid.scale or len(grid.scale) != len(grid.lowest):
        raise ValueError(f"{name} has {len(grid.scale)} scales and {len(grid.lowest)} offsets")
    if not all(math.isfinite(scale) and scale > 0 for scale in grid.scale):
        raise ValueError(f"{name} has a scale that is not a number above 0")
    return TensorGrid(bits=grid.bits, scale=tuple(map(float, grid.scale)), lowest=tuple(map(int, grid.lowest)))
