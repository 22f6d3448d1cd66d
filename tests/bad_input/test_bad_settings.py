"""A table of wrong settings, each refused in one line before anything is imported or made: `settings.txt`.

A row is `overrides => message`. Groups are composed once, values are put in by Hydra's own parser.
"""

import shlex
from functools import cache
from pathlib import Path

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from sr.config.composition import plain
from sr.config.validation import check_settings
from sr.experiment import compose

CONF = Path(__file__).resolve().parents[2] / "conf"
ROWS = [
    line.split(" => ") for line in Path(__file__).with_name("settings.txt").read_text(encoding="utf-8").splitlines()
]


@cache
def composed(groups: tuple[str, ...]) -> DictConfig:
    """The config of some groups' options."""
    return compose([*groups, "logger=none"])


def is_group(override: str) -> bool:
    return override[0] not in "+~" and (CONF / override.partition("=")[0]).is_dir()


def test_the_table_is_long():
    assert len(ROWS) >= 300


@pytest.mark.parametrize(("overrides", "message"), ROWS, ids=[row[0] for row in ROWS])
def test_a_wrong_setting_is_refused_in_one_line(overrides: str, message: str):
    words = shlex.split(overrides)
    config = composed(tuple(word for word in words if is_group(word))).copy()
    values = OverridesParser.create().parse_overrides([word for word in words if not is_group(word)])
    ConfigLoaderImpl._apply_overrides_to_config(values, config)
    with pytest.raises(ValueError) as caught:
        check_settings(config)
        plain(config)
    assert str(caught.value) == message
