"""`sr export`: a net of a file, its weights, and the kit of files with its certificate."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import sr
import sr.pretrained
from sr.api.command import load_own, main, named_net
from tests.api import foreign_net
from tests.api.foreign_net import Foreign, build

FILE = foreign_net.__file__


def test_a_class_with_weights_is_made_and_filled(foreign: Foreign, tmp_path: Path) -> None:
    weights = tmp_path / "w.safetensors"
    save_file({f"module.{name}": value for name, value in foreign.state_dict().items()}, weights)
    made = named_net(f"{FILE}:Foreign", weights, ["f=8", "scale=2"], None)
    assert type(made).__name__ == "Foreign"
    assert all(torch.equal(value, foreign.state_dict()[name]) for name, value in made.state_dict().items())


def test_a_function_makes_a_net_with_its_own_weights() -> None:
    made = named_net(f"{FILE}:build", None, ["channels=1"], None)
    assert torch.equal(made.state_dict()["head.weight"], build(1).state_dict()["head.weight"])


def test_a_pretrained_net_is_taken_by_name() -> None:
    assert named_net("quicksrnet_small", None, [], 3.0).scale == 3


@pytest.mark.parametrize(
    "name, arguments, message",
    [
        ("Foreign", [], "Foreign has random weights; give --weights"),
        ("", [], "defines no <name>; its nets are Foreign"),
        ("Forein", [], "defines no Forein; its nets are Foreign"),
        ("build", ["chanels=1"], "build cannot be made: .*chanels.*give --arguments NAME=VALUE"),
        ("build", ["1"], "--arguments takes NAME=VALUE, got '1'"),
        ("NOT_A_NET", [], "NOT_A_NET"),
    ],
)
def test_what_is_no_net_is_refused(name: str, arguments: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        named_net(f"{FILE}:{name}", None, arguments, None)


@pytest.mark.parametrize(
    "text, message", [("def (", "net.py cannot be run: .*invalid syntax"), ("import nothing_here", "nothing_here")]
)
def test_a_file_that_cannot_be_run_is_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(text)
    with pytest.raises(ValueError, match=message):
        named_net(f"{tmp_path}/net.py:Net", None, [], None)


def test_weights_that_do_not_fit_are_named(foreign: Foreign, tmp_path: Path) -> None:
    state = foreign.state_dict() | {"tail.bias": torch.zeros(3), "extra": torch.zeros(1)}
    del state["head.bias"]
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"extra is not the net's, no head.bias, tail.bias is \(3,\), not \(12,\)"):
        load_own(foreign, tmp_path / "w.safetensors")


@pytest.mark.aimet
def test_the_command_writes_the_kit(
    foreign: Foreign, photos: list[np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos").mkdir()
    for index, photo in enumerate(photos):
        Image.fromarray(photo).save(tmp_path / f"photos/{index}.png")
    save_file(foreign.state_dict(), tmp_path / "w.safetensors")
    command = [f"{FILE}:Foreign", "--weights", f"{tmp_path}/w.safetensors", "--calibration", f"{tmp_path}/photos"]
    assert main([*command, "--target", "onnx", "--size", "90x120", "--to", f"{tmp_path}/kit"]) == 0
    assert "files and certificate.json" in capsys.readouterr().out
    assert (tmp_path / "kit/certificate.json").is_file() and (tmp_path / "kit/pixels_90x120.onnx").is_file()
    assert main([f"{FILE}:Foreign", "--target", "onnx"]) == 1
    assert "Error: Foreign has random weights" in capsys.readouterr().err


@pytest.mark.aimet
def test_weights_and_encodings_of_a_preset_are_exported(photos: list[np.ndarray], tmp_path: Path) -> None:
    """As the AIMET model zoo offers QuickSRNet: a state dict under "state_dict", and AdaRound's ranges of weights."""
    net = sr.pretrained.load("quicksrnet_small", scale=2)
    torch.save({"state_dict": net.state_dict()}, tmp_path / "quicksrnet_small_2x_checkpoint_int8.pth")
    weights = sr.quantize(net, photos, scheme="w8a8_ptq").simulation.encodings("0.6.1")["param_encodings"]
    (tmp_path / "params_only.encodings").write_text(json.dumps(weights))
    files = ["--weights", f"{tmp_path}/quicksrnet_small_2x_checkpoint_int8.pth"]
    files += ["--encodings", f"{tmp_path}/params_only.encodings"]
    assert main(["quicksrnet_small", *files, "--target", "onnx", "--size", "90x120", "--to", f"{tmp_path}/kit"]) == 0
    assert json.loads((tmp_path / "kit/certificate.json").read_text())["links"]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [("quicksrnet_smal", [], "a preset of conf/model, not quicksrnet_smal: .*quicksrnet_small"), ("f", ["f=8"], "own")],
)
def test_weights_without_a_net_are_refused(name: str, arguments: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        named_net(name, tmp_path / "w.pth", arguments, None)
