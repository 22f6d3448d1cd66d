"""A step of the command for a GPU: its status, its output, and its end when the time is over."""

import time

import torch

from sr.bench.gpu_session import Session, largest_difference


def session(folder, seconds=30.0):
    return Session(folder, time.monotonic() + seconds, ["scale=3"], "cpu", 20, 0.1)


def test_done_failed_and_too_long(tmp_path):
    made = session(tmp_path)
    assert made.command("done", ["-c", "print('a'); print('b')"], 20) == 0
    assert made.command("failed", ["-c", "raise SystemExit(3)"], 20) == 3
    assert made.command("long", ["-c", "import time; time.sleep(60)"], 1) != 0
    made.skip("left", "no time")
    assert made.steps["done"]["status"] == "done" and made.steps["done"]["tail"] == ["a", "b"]
    assert made.steps["failed"]["status"] == "failed (3)"
    assert made.steps["long"]["status"].startswith("failed") and made.steps["long"]["seconds"] < 20
    assert made.steps["left"]["status"] == "left out: no time"


def test_the_command_of_a_training(tmp_path):
    arguments = session(tmp_path).run_arguments("eager", "machine.cuda_graphs=never")
    assert arguments[:3] == ["-m", "sr.run", f"hydra.run.dir={tmp_path / 'eager'}"]
    assert {"machine.accelerator=cpu", "train.iterations=20", "scale=3", "machine.cuda_graphs=never"} <= set(arguments)


def test_the_largest_difference_of_two_runs(tmp_path):
    for name, value in (("a", 1.0), ("b", 1.5)):
        (tmp_path / name / "checkpoints").mkdir(parents=True)
        state = {"x": torch.tensor([0.0, value]), "y": torch.zeros(1)}
        torch.save({"state_dict": state}, tmp_path / name / "checkpoints/last.ckpt")
    assert largest_difference(tmp_path / "a", tmp_path / "b") == 0.5
