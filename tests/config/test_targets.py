"""What a `_target_` may name: lists that hold all of conf/, nothing that acts, and no more than plain arguments."""

import datetime
import functools
from pathlib import Path
from typing import Any

import pytest
import yaml

from sr.config.targets import ALLOWED_NETS, ALLOWED_PARTS, build_net, build_node, refuse_foreign
from sr.models.interpolation import Bicubic

BICUBIC = {"_target_": "sr.models.interpolation.Bicubic", "scale": 2}
XLSR = {"_target_": "sr.models.xlsr.XLSR", "scale": 2, "overparameterize": "none"}
HYDRAS_OWN = {"sr.config.sweep_failures.ListFailures", "hydra_plugins.sr_launcher.SweepLauncher"}
"""What Hydra builds itself, of the checkout's conf/config.yaml and the command line alone."""


def targets_of(content: Any) -> set[str]:
    if isinstance(content, list):
        return {name for item in content for name in targets_of(item)}
    if not isinstance(content, dict):
        return set()
    own = {content["_target_"]} if "_target_" in content else set()
    return own | {name for value in content.values() for name in targets_of(value)}


def test_the_lists_hold_what_conf_and_the_sweeps_name_and_no_more(repo_root: Path):
    files = [path for folder in ("conf", "sweeps") for path in (repo_root / folder).rglob("*.yaml")]
    named = {name for path in files for name in targets_of(yaml.safe_load(path.read_text(encoding="utf-8")))}
    assert len(named) > 50
    assert named - HYDRAS_OWN - {*ALLOWED_NETS, *ALLOWED_PARTS} == set(), "add these to sr/config/targets.py"
    assert {*ALLOWED_NETS, *ALLOWED_PARTS} - named == {"sr.pruning.narrowed.narrow"}, "nothing names these any more"
    assert len({*ALLOWED_NETS, *ALLOWED_PARTS}) == len(ALLOWED_NETS) + len(ALLOWED_PARTS)


@pytest.mark.parametrize("name", ALLOWED_NETS)
def test_a_net_is_a_net(name: str):
    assert name.startswith("sr.models.") or name == "sr.pruning.narrowed.narrow"


def test_inner_nodes_lists_and_partial_calls_are_built():
    later = {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.1}
    nodes = {"nets": [BICUBIC, None], "later": later, "number": 1}
    built = build_node(nodes)
    assert isinstance(built["nets"][0], Bicubic) and built["nets"][1] is None and built["number"] == 1
    assert isinstance(built["later"], functools.partial) and built["later"].keywords == {"lr": 0.1}


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (
            {"_target_": "os.system"},
            r"^_target_='os.system' is on no list of sr/config/targets.py; .*name it on the com",
        ),
        ({"_target_": ["os", "system"]}, "is on no list"),
        ({"_target_": "sr.models.interpolation.Bicubic.__init__"}, "is on no list"),
        ({**BICUBIC, "size": 3}, "a setting of sr.models.interpolation.Bicubic has the wrong kind of value: .*'size'"),
        ({**BICUBIC, "_args_": [3]}, "wrong kind of value: .*'_args_'"),
    ],
)
def test_anything_else_is_refused(node: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        build_node({"inner": [node]})


@pytest.mark.parametrize(
    "node",
    [
        {"_target_": "os.system", "command": "x"},
        {"_target_": "torch.load", "f": "x", "weights_only": False},
        {"_target_": "sr.runs.files.write_atomically", "path": "x", "content": ""},
        {"_target_": "lightning.pytorch.loggers.CSVLogger", "save_dir": "x"},
        {"_target_": "lightning.Trainer", "_partial_": True},
        {**BICUBIC, "_partial_": True},
        {**BICUBIC, "scale": {"_target_": "numpy.load", "file": "x", "allow_pickle": True}},
        {**BICUBIC, "scale": [{"deep": [{"_target_": "pandas.read_pickle"}]}]},
        {**BICUBIC, "scale": "${oc.env:HOME}"},
        {**BICUBIC, "${oc.env:HOME}": 2},
        {**BICUBIC, "scale": datetime.date(2020, 1, 1)},
        {**BICUBIC, "scale": b"2"},
        {**BICUBIC, "scale": {2}},
        {"_target_": ["os.system"]},
        {"_target_": {}},
        {"scale": 2},
        [BICUBIC],
        None,
        "os.system",
    ],
)
def test_a_file_may_describe_nothing_but_a_net_of_plain_arguments(node: Any):
    with pytest.raises(
        ValueError, match=r"^sent/config.yaml (names the class .*|describes (a net with .*|no net: .*))$"
    ):
        build_net(node, source="sent/config.yaml")


def test_a_file_may_describe_a_narrowed_net_of_a_net():
    node = {"_target_": "sr.pruning.narrowed.narrow", "net": XLSR, "removed": [], "widths": {}}
    assert build_net(node, source="sent/config.yaml").scale == 2
    refuse_foreign({"model": node, "scale": 2}, source="sent/config.yaml")
    with pytest.raises(ValueError, match=r"names the class 'os\.system'"):
        refuse_foreign({**node, "net": {"_target_": "os.system"}}, source="sent/config.yaml")
    with pytest.raises(
        ValueError, match=r"^sent/config.yaml: a setting of sr.models.interpolation.Bicubic has the wro"
    ):
        build_net({**BICUBIC, "size": 3}, source="sent/config.yaml")


@pytest.mark.parametrize("later", [False, True])
def test_an_unknown_setting_is_refused_when_the_class_is_built_and_not_when_it_is_called(later: bool) -> None:
    node = {"_target_": "torch.optim.lr_scheduler.StepLR", "_partial_": later, "step_size": 1, "foo": 1}
    with pytest.raises(ValueError, match=r"StepLR .*unexpected keyword argument 'foo'"):
        build_node(node)
