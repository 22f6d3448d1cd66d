"""Files of encodings in AIMET's four layouts, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from sr.quantization.encodings_file import TensorGrid, read_encodings

OLD = {"bitwidth": 8, "dtype": "int", "is_symmetric": "True", "min": -1.28, "max": 1.27, "offset": -128, "scale": 0.01}
NEW = {"name": "a.weight", "dtype": "INT", "bw": 8, "is_sym": True, "scale": [0.01], "offset": [-128]}
NEW |= {"enc_type": "PER_TENSOR"}
LAST = {"name": "a.weight", "output_dtype": "int8", "y_scale": 0.01}
GRID = TensorGrid(bits=8, scale=(0.01,), lowest=(-128,))


def write(folder: Path, content: Any) -> Path:
    path = folder / "net.encodings"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    "content",
    [
        {"version": "0.6.1", "param_encodings": {"a.weight": [OLD]}, "activation_encodings": {}},
        {"param_encodings": {"a.weight": [OLD]}},
        {"a.weight": [OLD]},
        {"version": "1.0.0", "param_encodings": [NEW], "activation_encodings": []},
        {"version": "2.0.0", "encodings": [LAST]},
    ],
    ids=["0.6.1", "AdaRound", "AdaRound before 1.32", "1.0.0", "2.0.0"],
)
def test_the_layouts_of_weights_give_the_same(content: Any, tmp_path: Path) -> None:
    assert read_encodings(write(tmp_path, content)).grids == {"a.weight": GRID}


def test_activations_of_each_layout(tmp_path: Path) -> None:
    grid = TensorGrid(bits=8, scale=(0.5,), lowest=(-3,))
    old = OLD | {"scale": 0.5, "offset": -3, "is_symmetric": "False"}
    torch_layout = {"version": "0.6.1", "param_encodings": {}, "activation_encodings": {"a": {"output": {"0": old}}}}
    assert read_encodings(write(tmp_path, torch_layout)).grids == {"a:output:0": grid}
    last = {"name": "/a/Relu_output_0", "output_dtype": "uint8", "y_scale": 0.5, "y_zero_point": 3}
    bias = {"name": "a.bias", "output_dtype": "int32", "y_scale": [0.1], "axis": 0}
    assert read_encodings(write(tmp_path, {"version": "2.0.0", "encodings": [last, bias]})).grids == {
        last["name"]: grid
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"net.encodings is not JSON .*; give the .encodings file of AIMET"),
        ([1], "holds no encodings"),
        ({}, "holds no encodings"),
        ({"version": "2.0.0", "encodings": []}, "holds no encodings"),
        ({"version": "3.0.0", "encodings": []}, "has format 3.0.0; the formats 0.6.1, 1.0.0, 2.0.0 are read"),
        ({"version": "1.0.0", "producer": "sr", "param_encodings": []}, "net.onnx beside it, .* DCR order"),
        ({"version": "2.0.0"}, "of another kind: no 'encodings'; export it again"),
        ({"version": "0.6.1", "param_encodings": {"a": [{"bitwidth": 8}]}}, "of another kind: no 'scale'"),
        ({"a": 3}, "is damaged or of another kind"),
        ({"param_encodings": {"a": [OLD | {"scale": 0.0}]}}, "a has a scale that is not a number above 0"),
        ({"param_encodings": {"a": [OLD | {"scale": float("nan")}]}}, "a has a scale that is not a number above 0"),
        ({"param_encodings": {"a": [OLD | {"dtype": "float"}]}}, "float is no integer type; a float net needs no"),
        ({"version": "1.0.0", "param_encodings": [NEW | {"enc_type": "LPBQ"}]}, "a.weight has scales LPBQ; one a"),
        ({"version": "1.0.0", "param_encodings": [NEW | {"offset": []}]}, "a.weight has 1 scales and 0 offsets"),
        ({"version": "2.0.0", "encodings": [LAST | {"block_size": 4}]}, "a.weight has scales for blocks"),
        ({"version": "2.0.0", "encodings": [LAST | {"output_dtype": "float16"}]}, "float16 is no integer type"),
    ],
)
def test_other_files_are_refused_in_one_line(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        read_encodings(write(tmp_path, content))
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no encodings at .*none.json \(No such file"):
        read_encodings(tmp_path / "none.json")
