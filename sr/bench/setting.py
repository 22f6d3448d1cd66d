"""Config of a benchmark: composed as for `sr.run`, with a temporary run folder."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sr import experiment
from sr.config.command_line import refuse_unreadable
from sr.config.hints import hints
from sr.config.validation import check_settings
from sr.runs.failures import in_one_line


@contextmanager
def composed(overrides: Sequence[str]) -> Iterator[tuple[DictConfig, Path]]:
    """Compose a config with a temporary run folder for loggers and checkpoints.

    Args:
        overrides: Overrides as on the command line of `sr.run`.

    Yields:
        The config, and the value of `${hydra:runtime.output_dir}` in it.
    """
    experiment.quiet()
    config = _checked(list(overrides))
    if config.machine.threads:
        torch.set_num_threads(config.machine.threads)
    hydra_config, before = HydraConfig.instance(), HydraConfig.instance().cfg
    with tempfile.TemporaryDirectory(prefix="sr-bench-") as name:
        config.hydra.runtime.output_dir = name
        hydra_config.set_config(config)
        OmegaConf.set_readonly(config.hydra, False)
        try:
            yield config, Path(name)
        finally:
            hydra_config.cfg = before


def _checked(overrides: list[str]) -> DictConfig:
    """Compose a config and check its settings as `sr.run` does, with the same advice."""
    refuse_unreadable(overrides)
    try:
        config = experiment.compose(overrides, with_hydra=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise ValueError(" ".join([f"{in_one_line(error).rstrip('.')}.", *hints(overrides)])) from error
    check_settings(OmegaConf.masked_copy(config, [key for key in config if key != "hydra"]))
    return config


def describe_setting(config: DictConfig) -> dict[str, str | int | float]:
    """Return net, scale, batch size, patch size, precision and EMA decay of a config.

    Args:
        config: The composed config.
    """
    model = dict(config.model)
    net = str(model.pop("_target_")).rpartition(".")[2]
    return {
        "net": f"{net} " + " ".join(f"{key}={value}" for key, value in model.items() if key != "scale"),
        "scale": config.scale,
        "batch_size": config.data.batch_size,
        "lr_patch": config.data.lr_patch,
        "precision": config.train.precision,
        "chunk": config.train.chunk,
        "ema_decay": config.train.ema_decay,
    }


def format_setting(setting: dict[str, str | int | float]) -> str:
    """Format a setting in one line.

    Args:
        setting: Name -> value.

    Example:
        >>> format_setting({"net": "XLSR", "batch_size": 16})
        'net XLSR, batch_size 16'
    """
    return ", ".join(f"{key} {value}" for key, value in setting.items())
