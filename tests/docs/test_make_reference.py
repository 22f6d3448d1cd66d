"""The generated pages of the site: they hold every setting, command and function."""

import importlib.util
import re
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from sr.report.record import Report
from sr.report.record_shape import REPORT_KINDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs/make_reference.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_keys_are_dotted_and_keep_their_comments(reference: ModuleType) -> None:
    lines = ["# head", "train:", "  chunk: 10   # per step", "  more: {a: 1}", "seed: 0"]
    assert list(reference.keys_of(lines)) == [
        ("train", "", ""), ("train.chunk", "10", "per step"), ("train.more", "{a: 1}", ""), ("seed", "0", ""),
    ]  # fmt: skip


def test_a_docstring_becomes_lists_and_code(reference: ModuleType) -> None:
    text = "Add.\n\nArgs:\n    a: One\n        number.\n\nReturns:\n    The sum.\n\nExample:\n    >>> add(1)\n    2\n"
    assert reference.docstring_markdown(text).splitlines() == [
        "Add.", "", "**Args**", "", "- `a`: One number.", "", "**Returns**", "", "The sum.", "", "**Example**", "",
        "```pycon", ">>> add(1)", "2", "```",
    ]  # fmt: skip


def test_every_group_command_and_function_has_its_place(reference: ModuleType) -> None:
    pages = reference.pages()
    groups = {path.name for path in (ROOT / "conf").iterdir() if path.is_dir()}
    assert {name.removesuffix(".md").removeprefix("settings-") for name in pages if "-" in name} == groups
    assert "| `f` | `32` | feature channels" in pages["settings-model.md"]
    assert "| `train.chunk` | `10` |" in pages["settings.md"]
    for option in ("--panel", "--serve", "--precision", "--calibration", "--remove"):
        assert option in pages["commands.md"], option
    assert re.findall(r"^## (.*)$", pages["api.md"], re.M) == ["sr.load", "sr.evaluate", "sr.quantize", "sr.export"]
    assert "sr.export(quantized:" in pages["api.md"] or "sr.export(net:" in pages["api.md"], (
        "not of the package sr.export"
    )
    assert "`stage_seconds`: {stage: wall time in seconds}" in pages["report.md"]


def test_the_report_page_has_every_field_and_every_kind(reference: ModuleType) -> None:
    page = reference.pages()["report.md"]
    for name in (each.name for each in fields(Report)):
        assert f"- `{name}`: " in page, "describe it in the docstring of Report"
    for row in (
        "| `config` | mapping; needs `scale` |",
        "| `export.hexagon.estimates[].estimate_us` | finite number within the bounds that are given |",
        "| `git.commit` | text such as a name or a path, or null |",
        "| `quality.*.*` | scores of a test set, with those of its images; needs `protocol`, `num_images` |",
    ):
        assert row in page, row
    assert {row.split("`")[1].split(".")[0] for row in re.findall(r"^\| `.*$", page, re.M)} == set(REPORT_KINDS)
