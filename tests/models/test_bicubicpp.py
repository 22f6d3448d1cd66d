"""Bicubic++: parameter count, half resolution inside, no biases."""

import pytest
import torch

from sr.models.bicubicpp import BicubicPlusPlus


def test_parameter_count_of_the_paper() -> None:
    assert sum(parameter.numel() for parameter in BicubicPlusPlus(scale=3, f=32).parameters()) == 50_400


def test_features_have_half_the_resolution_and_no_bias_moves_a_black_image() -> None:
    net = BicubicPlusPlus(scale=2, f=8).eval()
    assert net.conv0(torch.zeros(1, 3, 6, 8)).shape == (1, 8, 3, 4)
    assert not net(torch.zeros(1, 3, 6, 8)).any()


@pytest.mark.parametrize(
    ("arguments", "message"), [({"scale": 1.5, "f": 8}, "by 1.5"), ({"scale": 2, "f": 0}, "f to be")]
)
def test_refusals(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BicubicPlusPlus(**arguments)
