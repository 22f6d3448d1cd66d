"""Folder names follow from what changes the numbers, and from nothing else."""

import doctest

import pytest

from sr.runs import folders
from sr.runs.folders import run_name


def test_examples():
    assert doctest.testmod(folders).failed == 0


def test_order_does_not_matter():
    assert run_name(["scale=4", "model=espcn"]) == run_name(["model=espcn", "scale=4"])


@pytest.mark.parametrize(
    "override",
    [
        *("logger=wandb", "logger.mode=online", "machine.threads=1", "experiment=x", "sweeps=y", "ckpt=none"),
        *("data.cache=/x", "data.test_root=/y", "data.gpu_cache=never", "task.cuda_graphs=never", "++data.cache=/x"),
    ],
)
def test_machine_keys_are_left_out(override):
    assert run_name(["scale=4", override]) == "scale_4"


def test_different_overrides_get_different_names():
    several = [
        ["data.root=/a/b"],
        ["data.root=/a_b"],
        ["data.root=a b"],
        ["model.m=1"],
        ["data.test=[a,b]"],
        ["data.test=[a_b]"],
    ]
    assert len({run_name(item) for item in several}) == len(several)


def test_long_names_end_in_a_hash():
    long = [f"train.key{i}=value{i}" for i in range(40)]
    assert len(run_name(long)) <= folders.MAX_NAME
    assert run_name(long) != run_name([*long, "scale=3"])


def test_names_survive_hydras_command_line():
    assert not set("=,{}[] ") & set(run_name(["data.test=[set5,set14]", "init=outputs/a b/c=d"]))
