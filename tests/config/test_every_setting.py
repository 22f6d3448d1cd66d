"""Every setting of the default config and of the larger groups refuses what no setting takes."""

from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from sr.config.kinds import Anything, Flag, Label, Named, Number, Optional, Text, Weights, Whole
from sr.config.schema import find_kind
from sr.config.validation import check_settings, leaves
from sr.experiment import compose

CONFIGS = (
    ["logger=none"],
    ["task=gan", "export=all", "logger=tensorboard", "optimizer=adam", "scheduler=multi_step", "data=mix"],
    ["task=pruning", "filters=depth", "model=sesr", "logger=none", "quantization=w8a8_qat"],
    ["task=distillation", "model=fsrcnn", "loss=charbonnier", "scheduler=one_cycle", "logger=csv"],
)
DEEP = {"no": {"such": 1}}
WRONG: tuple[Any, ...] = (
    float("nan"),
    float("inf"),
    -(10**30),
    10**30,
    "",
    "?!",
    True,
    None,
    [[]],
    {"no": {"such": 1}},
)


def taken(kind: Any, value: Any) -> bool:
    """Whether a value that is wrong for most settings is right for this one."""
    if isinstance(kind, Optional):
        return value is None or taken(kind.kind, value)
    if isinstance(kind, Anything) or (isinstance(kind, Flag) and value is True):
        return True
    if isinstance(kind, Text | Weights | Label):
        return value == "?!" or (value == "" and getattr(kind, "empty", False)) or _is_part_of_a_name(kind, value)
    return isinstance(kind, Named) and value == DEEP and kind.item is None and not kind.fields


def _is_part_of_a_name(kind: Any, value: Any) -> bool:
    return isinstance(kind, Label) and isinstance(value, int) and not isinstance(value, bool)


def changed(config: DictConfig, key: str, value: Any) -> DictConfig:
    """A copy with one other value."""
    copy = config.copy()
    OmegaConf.set_struct(copy, False)
    OmegaConf.update(copy, key, value, merge=False)
    return copy


@pytest.mark.parametrize("overrides", CONFIGS, ids=lambda each: each[0])
def test_every_setting_refuses_wrong_values_by_its_key(overrides: list[str]):
    config = compose(overrides)
    keys = [each.key for each in leaves(config) if find_kind(each.key) and each.name not in ("_target_", "_partial_")]
    assert len(keys) > 100
    passed = []
    for key in keys:
        kind = find_kind(key)
        for value in WRONG:
            if taken(kind, value):
                continue
            try:
                check_settings(changed(config, key, value))
                passed.append((key, value))
            except ValueError as error:
                assert "\n" not in str(error) and key.split(".")[-1] in str(error), (key, value, str(error))
    assert passed == []


def test_numbers_have_bounds():
    config = compose(["logger=none"])
    numbers = [each.key for each in leaves(config) if isinstance(find_kind(each.key), Number | Whole)]
    assert len(numbers) > 50
