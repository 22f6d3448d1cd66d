"""The command: overrides anywhere, JSON beside the table, one line for a mistake, nothing heavy for help."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sr.bench.command import main, options_of

TINY = ["model=sesr_m3", "model.f=8", "model.m=1", "model.expansion=16"]
STEPS = ["--steps", "1", "--batch-size", "2", "--lr-patch", "16"]


def test_overrides_may_stand_anywhere() -> None:
    options = options_of(["train", "scale=3", "--blocks", "2", "+a.b=1", "--json", "x.json", "~logger"])
    assert options["overrides"] == ["scale=3", "+a.b=1", "~logger"]
    assert (options["num_blocks"], options["json"], options["iterations"]) == (2, Path("x.json"), None)


@pytest.mark.parametrize("wrong", [["train", "--block=s"], ["train", "--blocks", "0"], ["guess"], []])
def test_a_wrong_option_is_refused(wrong: list[str]) -> None:
    with pytest.raises(ValueError, match=r"; see python -m sr.bench.* --help"):
        options_of(wrong)


def test_a_table_and_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new" / "collapse.json"
    assert main(["collapse", *TINY, *STEPS, "--json", str(path), "--format", "markdown", "scale=4"]) == 0
    printed = capsys.readouterr().out
    assert "| forward pass |" in printed and "| collapsed |" in printed
    written = json.loads(path.read_text())
    assert written["command"] == "collapse"
    assert written["overrides"] == [*TINY, "scale=4"]
    assert written["setting"]["scale"] == 4
    assert {"figures", "machine", "versions", "git"} <= written.keys()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["collapse", "model=quicksrnet_small"], "QuickSRNet has no convolution that collapses; choose"),
        (["collapse", "model=none_such"], "Could not find 'model/none_such'"),
        (["infer", "scale=7"], "scale is one of 1.5, 2, 3, 4, got 7"),
        (["infer", "size=100p"], "is no size"),
        (["collapse", "--json", "."], "--json needs a file, got the folder"),
    ],
)
def test_a_mistake_ends_in_a_message(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert said.err.startswith("Error: ") and says in said.err
    assert said.out == ""


def test_help_is_quick_and_light() -> None:
    code = (
        "import sys\nfrom sr.bench.command import main\ntry: main(['train', '--help'])\nexcept SystemExit: pass\n"
        "assert not {'torch', 'lightning', 'onnx', 'numpy', 'hydra'} & set(sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "--blocks" in result.stdout
