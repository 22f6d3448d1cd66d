"""Tensors of a file of encodings -> layers of a net."""

from pathlib import Path
from typing import Any

import pytest
from torch import nn

from sr.api.foreign import adopt
from sr.quantization.encoded_places import places_of
from sr.quantization.encodings_file import AimetEncodings, TensorGrid

GRID, OTHER = (TensorGrid(bits=8, scale=(scale,), lowest=(0,)) for scale in (0.5, 0.25))


def encodings(**grids: TensorGrid) -> AimetEncodings:
    return AimetEncodings(path=Path("net.encodings"), grids=grids)


def test_names_of_onnx_modules_and_the_zoo_are_found(make_net: Any) -> None:
    names = {"cnn.0.weight": GRID, "t.12": OTHER, "/cnn/cnn.1/Clip_output_0": GRID, "clip_output:output:0": OTHER}
    found = places_of(encodings(**names, **{"/cnn/cnn.1/Constant_output_0": OTHER, "87": GRID}), make_net())
    assert found.weights == {"cnn.0.weight": GRID} and (found.image, found.result) == (OTHER, GRID)
    assert found.modules == {("cnn.1", "output"): GRID, ("clip", "output"): OTHER}


def test_names_of_a_net_from_elsewhere_are_found_inside_its_wrapper() -> None:
    net = adopt(nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.PixelShuffle(2)))
    found = places_of(encodings(**{"0.weight": GRID, "/1/Relu_output_0": GRID}), net)
    assert found.inside == "body." and found.weights.keys() == {"body.0.weight"}
    assert found.modules.keys() == {("body.1", "output")}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["head.weight", "/head/Conv_output_0"], "names no weight of the net, but /head/Conv_output_0, head.weight"),
        (["cnn.0.weight", "/cnn/cnn.9/Clip_output_0"], "tensors that are not there: /cnn/cnn.9/Clip_output_0; give"),
        (["cnn.0.weight", "cnn.9.weight", "x", "y"], "tensors that are not there: y; give the file .* this QuickSRNet"),
    ],
)
def test_names_of_another_net_are_refused(names: list[str], message: str, make_net: Any) -> None:
    with pytest.raises(ValueError, match=message):
        places_of(encodings(**dict.fromkeys(names, GRID)), make_net())
