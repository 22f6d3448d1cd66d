"""Command lines of the other commands, each refused in one line, in this process: `options.txt`.

A row is `command arguments => regular expression`; `{tmp}` stands for a folder of the test.
"""

import importlib
import re
import shlex
from pathlib import Path

import pytest

ROWS = [line.split(" => ") for line in Path(__file__).with_name("options.txt").read_text(encoding="utf-8").splitlines()]


def test_every_command_has_rows():
    commands = {path.parent.name for path in (Path(__file__).parents[2] / "sr").glob("*/__main__.py")}
    assert commands == {row[0].split()[0] for row in ROWS}


@pytest.mark.parametrize(("words", "message"), ROWS, ids=[row[0] for row in ROWS])
def test_a_wrong_option_is_refused_in_one_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    command, *arguments = shlex.split(words.replace("{tmp}", (tmp_path / "there").as_posix()))
    entry = (Path(__file__).parents[2] / "sr" / command / "__main__.py").read_text(encoding="utf-8")
    (module,) = re.findall(r'run_command\("([\w.]+)"', entry)
    status = importlib.import_module(module).main(arguments)
    said = capsys.readouterr()
    assert status == 1
    assert said.err.startswith("Error: ") and said.err.count("\n") == 1, said.err
    assert re.search(message.replace("{tmp}", re.escape((tmp_path / "there").as_posix())), said.err), said.err
    assert said.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["there"] and not list((tmp_path / "there").iterdir())
