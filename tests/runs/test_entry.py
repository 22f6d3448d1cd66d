"""Every command ends in its first seconds with a word and the status of the signal, also amid its imports."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMANDS = sorted(path.parent.name for path in (Path(__file__).parents[2] / "sr").glob("*/__main__.py"))
SLOW_IMPORT = "import time\nprint('importing', flush=True)\ntime.sleep(60)\n"
"""Stands in for the first module of another project that a command imports."""


def test_all_commands_are_found():
    assert {"bench", "dashboard", "data", "doctor", "pretrained", "report"} <= set(COMMANDS)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGTERM to a process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_stop_amid_the_imports_ends_with_the_word(tmp_path, command, number):
    for name in ("rich", "numpy"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(SLOW_IMPORT)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(
        [sys.executable, "-m", f"sr.{command}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout.readline() == "importing\n"
        time.sleep(0.05)
        process.send_signal(number)
        said = process.communicate(timeout=30)[1]
    assert process.returncode == 128 + number
    assert said.startswith("\nStopped") and said.count("\n") == 2


def test_without_a_home_folder_other_libraries_say_nothing(tmp_path):
    """What `docker run --user 54321` gives: no HOME, and no entry in the list of users."""
    (tmp_path / "sitecustomize.py").write_text(
        "import pwd\ndef nobody(*_): raise KeyError('uid not found')\npwd.getpwuid = nobody\n"
    )
    (tmp_path / "plotting.py").write_text(
        "import logging\nlogging.basicConfig(level=logging.INFO)\nimport matplotlib.font_manager\n"
        "main = lambda arguments: print(matplotlib.get_cachedir()) or 0\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "MPLCONFIGDIR")}
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    code = "import sys; from sr.runs.entry import run_command; sys.exit(run_command('plotting'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
