"""Pixel losses by their definitions."""

import pytest
import torch

from sr.losses.pixel import L1, L2, Charbonnier


def test_values_against_the_formula():
    sr, hr = torch.rand(2, 3, 5, 7, dtype=torch.double), torch.rand(2, 3, 5, 7, dtype=torch.double)
    d = (sr - hr).flatten().tolist()
    assert L1()(sr, hr).item() == pytest.approx(sum(map(abs, d)) / len(d))
    assert L2()(sr, hr).item() == pytest.approx(sum(x * x for x in d) / len(d))
    assert Charbonnier(epsilon=0.1)(sr, hr).item() == pytest.approx(sum((x * x + 0.01) ** 0.5 for x in d) / len(d))


@pytest.mark.parametrize("loss", [L1(), L2(), Charbonnier(epsilon=0.1)])
def test_gradient_points_from_hr_to_sr(loss):
    sr = torch.full((1, 3, 4, 4), 0.6, requires_grad=True)
    loss(sr, torch.full((1, 3, 4, 4), 0.5)).backward()
    assert (sr.grad > 0).all()


def test_charbonnier_refuses_no_width():
    with pytest.raises(ValueError, match=r"epsilon > 0, got 0.*use loss=l1"):
        Charbonnier(epsilon=0)
