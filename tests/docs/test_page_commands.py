"""Every command in README.md and docs/*.md is one that its program takes: settings compose, options parse.

`test_commands_run.py`, which is slow, runs them to their end. What no test runs says so in the title of its block.
"""

import importlib
import re

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from sr.config.validation import check_settings
from sr.console import COMMANDS
from sr.experiment import compose
from tests.docs.pages import COMMAND, blocks, commands, words

OWN_PARSERS = {"export": "sr.api.command"}
FLAGS = ("--multirun", "-m", "--cfg", "job")
FOUND = commands()
OTHERS = (
    r"make (demo|install)( EXTRAS=\w+)?",
    r"git clone .*|source \.venv/bin/activate|\.venv/bin/sr .*|pip install .*",
    r"wandb (login|sync) .*|wandb login",
    r"(torchrun|srun) .*-m sr\.run",
)
"""Commands of other programs, which may stand in a block with a reason."""


def test_the_pages_hold_many_commands_of_all_programs_but_one():
    assert len(FOUND) > 60
    programs = {program for _, program, _ in FOUND}
    assert programs <= set(COMMANDS)
    assert {"run", "report", "dashboard", "upscale", "export", "bench", "doctor"} <= programs


def test_commands_stand_in_console_blocks_and_what_is_not_run_has_a_reason():
    wrong = []
    for block in blocks():
        foreign = [line for line in block.lines if not COMMAND.match(line)]
        if block.kind != "console":
            wrong += [f"{block.page}: not in a console block: {line}" for line in block.lines if COMMAND.match(line)]
        elif block.reason is None:
            wrong += [f"{block.page}: cannot be run by a test and has no reason: {line}" for line in foreign]
        else:
            wrong += [
                f"{block.page}: unknown program: {line}"
                for line in foreign
                if not any(re.fullmatch(each, line) for each in OTHERS)
            ]
    assert not wrong, "\n".join(wrong)
    assert 5 < sum(block.reason is not None for block in blocks()) < 30


@pytest.mark.parametrize(("page", "program", "rest"), FOUND, ids=[f"{p}-{c} {r}"[:70] for p, c, r in FOUND])
def test_a_program_takes_what_a_page_says(page, program, rest):
    arguments = words(rest)
    if program != "run":
        module = importlib.import_module(OWN_PARSERS.get(program, f"sr.{program}.command"))
        module.parser().parse_args(arguments)
        return
    settings = [re.sub(r"<.*>", "filled_in", word) for word in arguments if word not in FLAGS]
    jobs = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(settings), max_batch_size=None)[0]
    config = compose(list(jobs[0]))
    check_settings(config)
