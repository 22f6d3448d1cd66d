"""Adversarial losses by their definitions, and who is moved by which."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from sr.losses.adversarial import RelativisticAverage, Standard

REAL, FAKE = torch.tensor([[0.3], [1.7], [-0.2]]), torch.tensor([[-1.1], [0.4], [0.9]])
ONES, ZEROS = torch.ones(3, 1), torch.zeros(3, 1)


def test_standard_is_cross_entropy() -> None:
    game = Standard()
    torch.testing.assert_close(game.generator(None, FAKE), bce(FAKE, ONES))
    torch.testing.assert_close(game.discriminator(REAL, FAKE), (bce(REAL, ONES) + bce(FAKE, ZEROS)) / 2)


def test_relativistic_average_is_esrgans() -> None:
    game = RelativisticAverage()
    real_over, fake_over = REAL - FAKE.mean(), FAKE - REAL.mean()
    torch.testing.assert_close(game.generator(REAL, FAKE), (bce(real_over, ZEROS) + bce(fake_over, ONES)) / 2)
    torch.testing.assert_close(game.discriminator(REAL, FAKE), (bce(real_over, ONES) + bce(fake_over, ZEROS)) / 2)


def test_relativistic_gradients_are_those_of_separate_steps_against_constant_means() -> None:
    real, fake = (each.clone().requires_grad_() for each in (REAL, FAKE))
    RelativisticAverage().discriminator(real, fake).backward()
    ours = real.grad.clone(), fake.grad.clone()
    real.grad = fake.grad = None
    (bce(real - FAKE.mean(), ONES) / 2).backward()
    (bce(fake - REAL.mean(), ZEROS) / 2).backward()
    torch.testing.assert_close(ours, (real.grad, fake.grad))


@pytest.mark.parametrize("game", [Standard(), RelativisticAverage()])
def test_each_side_is_pushed_its_way(game) -> None:
    real, fake = (each.clone().requires_grad_() for each in (REAL, FAKE))
    game.generator(real, fake).backward()
    assert (fake.grad < 0).all() and real.grad is None, "fakes should look truer; true images are a constant"
    fake.grad = None
    game.discriminator(real, fake).backward()
    assert (real.grad < 0).all() and (fake.grad > 0).all()


@pytest.mark.parametrize("game", [Standard(), RelativisticAverage()])
def test_extreme_logits_stay_finite(game) -> None:
    assert game.generator(torch.full((2, 1), 1e4), torch.full((2, 1), -1e4)).isfinite()
