"""Options of a command: what each type takes, and the one line for what it does not."""

import argparse

import pytest

from sr.runs.arguments import CommandParser, finite_number, path, whole_number


def parsed(kind, text: str):
    parser = CommandParser(prog="python -m sr.some")
    parser.add_argument("--option", type=kind)
    return parser.parse_args(["--option", text]).option


@pytest.mark.parametrize("text", ["-1", "abc", "1.5", "", "nan", "٣", "²", "9" * 30, "3 "])
def test_a_whole_number(text):
    with pytest.raises(ValueError, match=r"--option: a whole number of at least 0 is needed, got '.*'; see .* --help"):
        parsed(whole_number(), f"={text}" if text.startswith("-") else text)
    assert parsed(whole_number(), "0") == 0


def test_a_whole_number_has_bounds():
    with pytest.raises(ValueError, match="a whole number from 1 to 9 is needed, got '10'"):
        parsed(whole_number(1, 9), "10")
    assert parsed(whole_number(1, 9), "9") == 9


@pytest.mark.parametrize("text", ["0", "-3", "nan", "inf", "1e999", "abc", "", "1,5"])
def test_a_finite_number(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"a number above 0 is needed, got '.*'"):
        finite_number(above=0)(text)
    assert finite_number(least=0)("0") == 0


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_path_is_not_the_current_folder(text):
    with pytest.raises(ValueError, match="--option: a path is needed, got an empty text"):
        parsed(path, text)
