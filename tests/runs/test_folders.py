"""Folder names follow from what changes the numbers, and from nothing else."""

import doctest
import os
import subprocess
import sys

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
        *("launcher=ray", "launcher.gpus=0.25"),
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


def test_without_a_home_folder_the_key_and_the_variable_are_named(tmp_path):
    code = """
import pwd
def unknown(*given): raise KeyError("uid not found: 54321")  # what a container with a user of its own gives
pwd.getpwuid = unknown
from sr.runs.folders import expand_home
assert str(expand_home("data.cache", "/tmp/a")) == "/tmp/a"
expand_home("data.cache", "~/.cache/sr")
"""
    pytest.importorskip("pwd", reason="Windows keeps the home folder elsewhere")
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=tmp_path)
    text = (
        "ValueError: data.cache=~/.cache/sr needs a home folder, and this user has none; set HOME, or give data.cache="
    )
    assert text in done.stderr
