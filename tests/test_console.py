"""The command `sr`: its commands are those of the package, its help is instant, a typing error gets advice."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sr.console import COMMANDS, main, unknown, usage

HEAVY = ("hydra", "lightning", "numpy", "omegaconf", "rich", "torch", "yaml")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sr.console", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_commands_are_the_modules_that_can_be_run(repo_root: Path) -> None:
    rooms = {path.parent.name for path in (repo_root / "sr").glob("*/__main__.py")}
    assert rooms and rooms | {"run"} == set(COMMANDS)


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    code = f"import sys; from sr.console import main; main(['--help']); print([m for m in {HEAVY} if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.startswith(usage()) and printed.endswith("\n[]\n")
    assert all(f"  sr {name} " in printed for name in COMMANDS)


def test_a_command_gets_its_arguments_and_its_status(tmp_path: Path) -> None:
    done = run("run", "--cfg", "job", "model=espcn", "scale=3")
    assert done.returncode == 0 and "sr.models.espcn.ESPCN" in done.stdout and "\nscale: 3\n" in done.stdout
    done = run("report", str(tmp_path / "nowhere"))
    assert done.returncode == 1 and "no folder at" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("typed, meant", [("reprot", "report"), ("banch", "bench"), ("dashbord", "dashboard")])
def test_a_typing_error_gets_the_command_that_was_meant(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([typed]) == 1
    assert f"did you mean {meant}?" in capsys.readouterr().err


def test_a_word_that_is_like_no_command_gets_no_guess() -> None:
    assert "did you mean" not in unknown("xyz")


@pytest.mark.skipif(not shutil.which("bash"), reason="POSIX thing")
def test_bash_completes_commands_and_the_config(tmp_path: Path) -> None:
    program = tmp_path / "sr"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sr.console "$@"\n')
    program.chmod(0o755)
    script = """source <(sr --completion bash)
        COMP_WORDS=(sr da); COMP_CWORD=1; _sr; echo "${COMPREPLY[@]}"
        COMP_WORDS=(sr run model=abp); COMP_CWORD=2; COMP_LINE="${COMP_WORDS[*]}"; _sr; echo "${COMPREPLY[@]}" """
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=120)
    commands, nets = done.stdout.splitlines()
    assert commands == "dashboard data"
    assert {"model=abpn", "model=abpn_challenge"} <= set(nets.split()), (nets, done.stderr)
