"""Nets as their YAML describes them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

CONF = Path(__file__).resolve().parents[2] / "conf"


def _make(name: str, *overrides: str, scale: float = 2, seed: int = 0) -> nn.Module:
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose(f"model/{name}", overrides=[f"+scale={scale}", *overrides])
    torch.manual_seed(seed)
    return instantiate(OmegaConf.to_container(config.model, resolve=True))


@pytest.fixture(scope="session")
def make() -> Callable[..., nn.Module]:
    """`make(preset, *overrides, scale=2, seed=0)`: a net of conf/model."""
    return _make
