"""The grid loss: blind to pictures, not to what repeats every block; its gradient takes dots away."""

import pytest
import torch

from sr.losses.grid_loss import grid_loss


@pytest.mark.parametrize("block", [2, 3, 4])
def test_dots_count_and_texture_does_not(block: int) -> None:
    torch.manual_seed(0)
    texture = torch.rand(2, 3, 120, 120)
    dots = torch.zeros_like(texture)
    dots[..., ::block, ::block] = 1
    edges = torch.zeros_like(texture)
    edges[..., 7:] = 1
    assert grid_loss(texture, block) < 0.02
    assert grid_loss(texture + dots, block) > 10 * grid_loss(texture, block)
    assert grid_loss(edges, block) < 0.05 < grid_loss(dots, block)


def test_contrast_that_alternates_counts_though_its_mean_is_zero() -> None:
    torch.manual_seed(0)
    texture = torch.randn(1, 3, 64, 64)
    loud = texture.clone()
    loud[..., ::2, ::2] *= 3
    assert grid_loss(loud, 2) > 5 * grid_loss(texture, 2)


def test_its_gradient_removes_a_grid() -> None:
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 32, 32)
    picture[..., 1::4, 2::4] += 0.3
    picture.requires_grad_()
    before = grid_loss(picture, 4).item()
    optimizer = torch.optim.SGD([picture], lr=20.0)
    for _ in range(50):
        optimizer.zero_grad()
        grid_loss(picture, 4).backward()
        optimizer.step()
    assert grid_loss(picture, 4).item() < before / 3
