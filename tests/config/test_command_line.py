"""Overrides that Hydra reads otherwise than they are meant; the advised form works in a real shell."""

import shlex
import subprocess
import sys

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from sr.config.command_line import as_text, options_first, refuse_unreadable

PATHS = [
    "~/photos",
    "/data/my photos (1)",
    "/data/a=b",
    "/data/图片",
    "/data/é",
    "/a[b]",
    "/a{b}",
    "/a!b",
    "/it's",
    '/a"b',
    "/a;b&c|d",
    "/a#b",
    "/a<b>*?",
    "/$HOME (x)",
    "C:\\my photos\\(1)\\",
    '/both"and\\"and\\',
]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_needs_quotes_is_told_with_them_and_these_work(path: str):
    with pytest.raises(ValueError, match="has characters that need quotes; write ") as caught:
        refuse_unreadable([f"data.root={path}"])
    advised = str(caught.value).rpartition("; write ")[2]
    assert advised == as_text("data.root", path)
    if sys.platform == "win32":
        return
    program = "import sys; print(sys.argv[1], end='')"
    typed = subprocess.run(
        ["sh", "-c", f"{shlex.quote(sys.executable)} -c {shlex.quote(program)} {advised}"],
        capture_output=True,
        text=True,
        encoding="utf-8",
    ).stdout
    refuse_unreadable([typed])
    assert OverridesParser.create().parse_override(typed).value() == path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data.test=set5,set14"], r"states several values: write -m .*'data\.test=\[set5,set14\]' for a list"),
        (["seed=0,1"], "write -m in front for a run each"),
        (["scale"], "'scale' has no value; a setting is written as scale=<value>"),
        (["scale", "3"], "'scale' has no value"),
        (["scale==2"], "write one = between"),
        (["data.test=[set5"], "close all brackets"),
        (["data=null"], "data is one option of its group, got null"),
        (["recipe=null"], r"got null\. To take no recipe, write '~recipe'"),
        (["data=[photos,mix]"], "data is one option of its group"),
        (["my key=3"], "is no name of a setting"),
    ],
)
def test_what_cannot_be_read_is_told(arguments: list[str], message: str):
    with pytest.raises(ValueError, match=message):
        refuse_unreadable(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["scale=2", "+a.b=1", "~filters", "model=quicksrnet", "data.root=/a/b-c.d", 'data.root="/a b"'],
        ["--cfg", "job", "-m", "seed=0,1"],
        ["sweeps=quicksrnet_depth", "seed=0,1"],
        ["export/engine@export.engines.x=litert"],
    ],
)
def test_what_hydra_reads_is_left_to_it(arguments: list[str]):
    refuse_unreadable(arguments)


def test_multirun_may_be_typed_anywhere():
    assert options_first(["scale=2", "-m", "seed=0,1"]) == ["-m", "scale=2", "seed=0,1"]
    assert options_first(["scale=2", "seed=0,1", "--multirun"])[0] == "--multirun"
