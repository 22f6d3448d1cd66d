"""Every command in README.md and docs/*.md is one that its program takes: settings compose, options parse.

Nothing trains here. Run whole elsewhere: the examples of docs/api.md (tests/api), the wheel's `sr upscale`
(tests/test_wheel.py), `sr run`, `sr report` and `sr dashboard` (tests/end_to_end, tests/report, tests/dashboard).
"""

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from sr.config.validation import check_settings
from sr.console import COMMANDS
from sr.experiment import compose

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"^(?:python -m sr\.|sr )(?P<name>[a-z]+)\b(?P<rest>.*)$")
OWN_PARSERS = {"export": "sr.api.command"}
FLAGS = ("--multirun", "-m", "--cfg", "job")


def commands() -> Iterator[tuple[str, str, str]]:
    """Yield page, program and arguments of each command in a fenced block."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for body in re.findall(r"^```\w*\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
            for line in body.replace("\\\n", " ").splitlines():
                plain = re.sub(r"\s+# .*$", "", line.strip())
                if (found := COMMAND.match(plain)) and " | " not in plain:
                    yield page.name, found["name"], found["rest"].strip()


FOUND = sorted(set(commands()))
NOT_COMPOSED = {
    r"make (demo|install)( EXTRAS=\w+)?": "installs, and trains for minutes: the Dockerfile and a release run it",
    r"git clone .*|source \.venv/bin/activate": "prepares a shell",
    r"\.venv/bin/sr .*": "the same as `sr`, before the environment is active",
    r"pip install .*": "installs an extra",
    r"wandb (login|sync) .*|wandb login": "needs an account",
    r"(torchrun|srun) .*-m sr\.run": "needs several devices; tests/devices starts processes as they do",
}
"""Commands in blocks marked `console` that are not composed here, and why."""


def words(rest: str) -> list[str]:
    """Return arguments; `<what a reader fills in>` is one word, `[optional]` is given, `...` is left out."""
    filled = re.sub(r"<[^>]*>", "filled_in", rest)
    given = [re.sub(r"^\[(.*)\]$", r"\1", word) for word in shlex.split(re.sub(r" \[(--\S+ \S+)\]", r" \1", filled))]
    return [word for word in given if not word.endswith("...")]


def test_the_pages_hold_many_commands_of_all_programs_but_one():
    assert len(FOUND) > 60
    programs = {program for _, program, _ in FOUND}
    assert programs <= set(COMMANDS)
    assert {"run", "report", "dashboard", "upscale", "export", "bench", "doctor"} <= programs


def test_every_other_line_of_a_console_block_has_a_reason():
    unknown = []
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for body in re.findall(r"^```console\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
            lines = [re.sub(r"\s+# .*$", "", line.strip()) for line in body.replace("\\\n", " ").splitlines()]
            known = (COMMAND, *(re.compile(pattern) for pattern in NOT_COMPOSED))
            unknown += [f"{page.name}: {line}" for line in lines if not any(each.fullmatch(line) for each in known)]
    assert not unknown, "\n".join(unknown)


@pytest.mark.parametrize(("page", "program", "rest"), FOUND, ids=[f"{p}-{c} {r}"[:70] for p, c, r in FOUND])
def test_a_program_takes_what_a_page_says(page, program, rest):
    arguments = words(rest)
    if program != "run":
        module = importlib.import_module(OWN_PARSERS.get(program, f"sr.{program}.command"))
        module.parser().parse_args(arguments)
        return
    settings = [word for word in arguments if word not in FLAGS]
    jobs = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(settings), max_batch_size=None)[0]
    config = compose(list(jobs[0]))
    check_settings(config)
