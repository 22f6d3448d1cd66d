"""Every option of every group composes, and its YAML lists exactly the arguments of what it builds."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.utils import get_class
from omegaconf import OmegaConf

from sr.config.schema import find_kind, is_section
from sr.config.validation import check_settings, leaves
from sr.experiment import compose

CONF = Path(__file__).resolve().parents[1] / "conf"
GROUPS = [
    "model",
    "data",
    "data/degradation",
    "task",
    "task/discriminator",
    "task/perceptual",
    "task/adversarial",
    "task/generator",
    "loss",
    "optimizer",
    "scheduler",
    "quantization",
    "export",
    "callbacks",
    "logger",
    "trainer",
    "recipe",
    "filters",
    "trick",
]
OPTIONS = [
    (group, path.stem)
    for group in GROUPS
    for path in sorted((CONF / group).glob("*.yaml"))
    if not path.stem.startswith("_")
]


def override(group: str, option: str) -> list[str]:
    return [*(["task=gan"] if group.startswith("task/") else []), f"{group}={option}"]


def part(config: Any, group: str) -> Any:
    """What a group fills: its node, or the whole config where its files write anywhere."""
    return (
        config if group in ("recipe", "task/generator", "trick") else OmegaConf.select(config, group.replace("/", "."))
    )


def nodes(config: Any) -> list[dict[str, Any]]:
    """Every node with a _target_ in a plain config."""
    if isinstance(config, list):
        return [node for item in config for node in nodes(item)]
    if not isinstance(config, dict):
        return []
    own = [config] if "_target_" in config else []
    return own + [node for value in config.values() for node in nodes(value)]


def arguments(target: Any) -> dict[str, inspect.Parameter]:
    """What a constructor takes; where it hands the rest to its parent (`**`), what that takes, too."""
    own = inspect.signature(target).parameters
    named = {name: each for name, each in own.items() if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)}
    hands_on = inspect.isclass(target) and any(each.kind is each.VAR_KEYWORD for each in own.values())
    return {**arguments(target.__base__), **named} if hands_on else named


def test_there_are_options():
    assert {group for group, _ in OPTIONS} >= {"model", "data", "quantization", "export", "callbacks", "recipe"}


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids=[f"{group}={option}" for group, option in OPTIONS])
def test_option_composes_and_lists_every_argument(group, option):
    composed = compose(override(group, option))
    keys = [setting.key for setting in leaves(composed) if find_kind(setting.key) is None]
    assert [key for key in keys if not is_section(key)] == [], "a setting needs a line in sr/config/*_schema.py"
    check_settings(composed)
    config = OmegaConf.to_container(part(composed, group), resolve=False)
    for node in nodes(config):
        target = get_class(node["_target_"]) if not node["_target_"].islower() else None
        if target is None or not target.__module__.startswith("sr."):
            continue
        parameters = arguments(target)
        given = set(node) - {"_target_", "_partial_"}
        handed_over = {"net", "loss", "optimizer", "scheduler", "params"} if node.get("_partial_") else set()
        wanted = set(parameters) - handed_over
        assert given == wanted, f"{node['_target_']}: YAML {sorted(given)}, constructor {sorted(wanted)}"
        for name, parameter in parameters.items():
            if name not in ("self", "params"):  # torch hands an optimizer its parameters by position
                assert parameter.kind is parameter.KEYWORD_ONLY, f"{node['_target_']}({name}) is not keyword-only"
                assert parameter.default is parameter.empty, (
                    f"{node['_target_']}({name}) has a default outside its YAML"
                )


def test_every_size_variant_is_a_small_delta():
    for path in sorted((CONF / "model").glob("*_*.yaml")):
        content = yaml.safe_load(path.read_text())
        if "defaults" in content:
            assert len(content) <= 6, f"{path.name} repeats its family"


def test_an_unknown_key_is_refused():
    with pytest.raises(Exception, match=r"Could not override 'model\.depth'"):
        compose(["model.depth=5"])
