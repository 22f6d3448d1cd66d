"""Errors in one line: ours in their words, foreign ones with type and place, and the commands that print them."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from PIL import Image

from sr.models.weights import blended, read_weights
from sr.runs.failures import in_one_line, one_line_errors
from sr.runs.files import write_atomically


def raised(work) -> str:
    try:
        work()
    except Exception as error:
        return in_one_line(error)
    raise AssertionError("nothing was raised")


def test_our_own_errors_keep_their_words():
    assert raised(lambda: blended({}, {}, 2)) == "alpha must be in [0, 1], got 2"


def test_an_error_without_words_gets_its_type_and_place():
    text = raised(lambda: blended({"a": torch.zeros(2)}, {"a": None}, 0.5))  # foreign: AttributeError in our code
    assert text.startswith("AttributeError: 'NoneType' object has no attribute 'shape' (sr/models/weights.py:")
    assert in_one_line(IndexError()) == "IndexError without a message"


@pytest.mark.parametrize(
    ("work", "text"),
    [
        (lambda: (_ for _ in ()).throw(KeyError("uid not found: 5")), "KeyError: 'uid not found: 5'"),
        (lambda: Path("/no/such/file").read_text(), "No such file or directory: /no/such/file"),
        (lambda: os.rename("/no/such", "/no/other"), "No such file or directory: /no/such -> /no/other"),
        (lambda: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")), "No space left on device"),
        (lambda: Image.open(__file__), "UnidentifiedImageError: cannot identify image file"),
        (lambda: torch.zeros(2) @ torch.zeros(3), "RuntimeError: "),
        (lambda: b"\xff".decode(), "UnicodeDecodeError: 'utf-8' codec"),
        (lambda: (_ for _ in ()).throw(RuntimeError("two\n lines\tof words")), "RuntimeError: two lines of words"),
    ],
)
def test_foreign_errors_become_one_line(work, text):
    words = raised(work)
    assert "\n" not in words
    assert text in words


def test_the_cause_inside_the_wrappers_of_hydra_is_told():
    failing = {"_target_": "sr.models.weights.read_weights", "path": "/no/weights.pth"}
    assert raised(lambda: instantiate({"a": failing})).startswith("no weights at /no/weights.pth; give a run folder")
    config = OmegaConf.create({"size": "${b.c}", "b": {}})
    words = raised(lambda: OmegaConf.to_container(config, resolve=True))
    assert "Interpolation key 'b.c' not found" in words and words.endswith("(size)") and "\n" not in words


def test_a_long_message_is_cut():
    assert len(in_one_line(RuntimeError("long " * 1000))) < 700


def test_an_error_of_the_system_names_the_file(tmp_path: Path):
    (tmp_path / "file").touch()
    assert str(tmp_path / "file") in raised(lambda: write_atomically(tmp_path / "file/a", "text"))
    assert str(tmp_path) in raised(lambda: read_weights(tmp_path))


@one_line_errors
def failing(error: BaseException) -> int:
    raise error


def test_a_command_ends_in_one_line(capsys, monkeypatch):
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    for error in (ValueError("words"), IndexError(), KeyError("k"), RuntimeError("two\nlines"), OSError(28, "full")):
        assert failing(error) == 1
        text = capsys.readouterr().err
        assert text.startswith("Error: ") and text.count("\n") == 1
    assert failing(KeyboardInterrupt()) == 130
    assert "Stopped" in capsys.readouterr().err


@pytest.mark.parametrize(("value", "full"), [("1", True), ("0", False), ("", False), ("false", False)])
def test_the_traceback_is_shown_where_it_is_asked_for(capsys, monkeypatch, value, full):
    monkeypatch.setenv("HYDRA_FULL_ERROR", value)
    assert failing(ValueError("words")) == 1
    assert ("Traceback" in capsys.readouterr().err) == full


def test_a_closed_pipe_is_no_error():
    code = "from sr.runs.failures import *; one_line_errors(lambda: [print(i) for i in range(99999)] and 0)()"
    command = f"{sys.executable} -c '{code}' | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
