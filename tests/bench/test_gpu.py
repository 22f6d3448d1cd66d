"""Everything for a GPU in one command: refused without one, and tried on the CPU."""

import json

import pytest
import torch

from sr.bench.command import main
from sr.bench.gpu import STEPS, goals, measure_gpu

TINY = [
    "model.f=8", "model.m=1", "data.lr_patch=16", "data.batch_size=2", "data.val_crop=64", "data.val_images=1",
    "callbacks.evaluate.forms=[]", "callbacks.cost=null", "callbacks.report=null", "train.precision=fp32",
]  # fmt: skip
SHORT = {"limit": 500.0, "iterations": 20, "seconds": 0.1}


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_without_a_gpu_it_says_what_to_do(capsys):
    assert main(["gpu"]) == 1
    assert "needs a CUDA device, and torch sees none here; --device cpu tries the command" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"only": "tests,guess"}, "--only guess: .* the steps are tests, train_small_soap"), ({"iterations": 7}, "of 10")],
)
def test_a_wrong_step_is_refused(wrong, says):
    with pytest.raises(ValueError, match=says):
        measure_gpu(TINY, device="cpu", **SHORT | {"only": None} | wrong)


def test_figures_with_a_goal():
    steps = {"train_small_adam": {"rate": 2000.0}, "train_edsr_adam": {"rate": 50.0, "to_plain_loop": 1.01}}
    assert goals(steps) == {"minutes of a million Adam iterations of S": 8.33, "EDSR to the plain loop": 1.01}


def test_what_does_not_fit_is_left_out():
    found = measure_gpu(TINY, device="cpu", only=None, limit=1.0, iterations=20, seconds=0.1).figures["steps"]
    assert list(found) == list(STEPS)
    assert {step["status"] for step in found.values()} == {"left out: no time"}


@pytest.mark.slow
def test_trainings_and_a_resume_on_the_cpu(tmp_path, monkeypatch):
    monkeypatch.setenv("SR_OUTPUTS", str(tmp_path / "outputs"))
    path, only = tmp_path / "gpu.json", "train_small_adam,graphs,eager,resume"
    options = ["--device", "cpu", "--iterations", "20", "--seconds", "0.1", "--only", only, "--json", str(path)]
    assert main(["gpu", *options, *TINY]) == 0
    figures = json.loads(path.read_text())["figures"]
    steps = figures["steps"]
    assert {name: step["status"] for name, step in steps.items()} == dict.fromkeys(only.split(","), "done"), steps
    assert steps["eager"]["largest_difference"] == 0 and steps["resume"]["largest_difference"] == 0
    assert steps["train_small_adam"]["rate"] > 0 and figures["goals"]["minutes of a million Adam iterations of S"] > 0
