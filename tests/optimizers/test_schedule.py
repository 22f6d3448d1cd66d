"""A schedule that torch cannot compute is an error before training, with the setting to change."""

from functools import partial

import pytest
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR, StepLR

from sr.optimizers.schedule import refuse_unusable


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (StepLR, {"step_size": 5, "gamma": 0.5}),
        (CosineAnnealingLR, {"T_max": 10}),
        (OneCycleLR, {"max_lr": 0.1, "total_steps": 1}),
    ],
)
def test_usable_schedules_pass(kind: type[LRScheduler], settings: dict) -> None:
    refuse_unusable("scheduler", partial(kind, **settings), settings)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (StepLR, {"step_size": 0}, r"^scheduler\.step_size must be a whole number of at least 1, got 0$"),
        (CosineAnnealingLR, {"T_max": 1.5}, r"scheduler\.T_max must be a whole number of at least 1, got 1\.5"),
        (
            OneCycleLR,
            {"max_lr": 0.1, "total_steps": 100, "pct_start": 0.01},
            r"scheduler cannot be computed with max_lr=0\.1, total_steps=100, pct_start=0\.01",
        ),
    ],
)
def test_unusable_schedules_are_errors(kind: type[LRScheduler], settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        refuse_unusable("scheduler", partial(kind, **settings), settings)
