"""The steps of `sr bench gpu` that were done: commands with a limit, their output and their figures."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from sr.runs.files import read_json

_TAIL, _GRACE_S = 15, 10
"""Lines of a command's output that are kept, and the seconds that it has to end when its time is over."""


@dataclass
class Session:
    """The steps that were done, and what they share.

    Args:
        folder: For outputs.
        end: Time at which the command has to end, of `time.monotonic`.
        overrides: Config overrides of every training.
        device: "cuda" or "cpu".
        iterations: Iterations of the trainings that are compared.
        seconds: Duration of a block of `sr bench train`.
    """

    folder: Path
    end: float
    overrides: list[str]
    device: str
    iterations: int
    seconds: float
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)

    def left(self) -> float:
        """Return the seconds that are left."""
        return self.end - time.monotonic()

    def command(self, name: str, arguments: Sequence[str], limit: float) -> int:
        """Run a command of Python as a step, with the last lines of its output; returns its status."""
        started, path = time.monotonic(), self.folder / f"{name}.log"
        with path.open("w", encoding="utf-8") as log:
            process = subprocess.Popen([sys.executable, *arguments], stdout=log, stderr=subprocess.STDOUT)
            try:
                status = process.wait(min(limit, self.left()))
            except subprocess.TimeoutExpired:
                status = _ended(process)
        lines = path.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").splitlines()
        self.steps[name] = {
            "status": "done" if status == 0 else f"failed ({status})",
            "seconds": time.monotonic() - started,
            "tail": [line[:200] for line in lines[-_TAIL:]],
        }
        return status

    def skip(self, name: str, why: str) -> None:
        """Note why a step is left out."""
        self.steps[name] = {"status": f"left out: {why}", "seconds": 0.0}

    def run_arguments(self, name: str, *overrides: str) -> list[str]:
        """Return the command of a training in a folder of its own."""
        plain = ["quantization=fp32", "export=none", "callbacks=train_only", "reuse=never", "machine.accelerator=gpu"]
        plain[-1] = f"machine.accelerator={'gpu' if self.device == 'cuda' else 'cpu'}"
        lengths = [f"train.iterations={self.iterations}", f"train.validate_every={self.iterations}", "train.chunk=10"]
        folder = f"hydra.run.dir={self.folder / name}"
        return ["-m", "sr.run", folder, *plain, *lengths, *self.overrides, *overrides]

    def train(self, name: str, *overrides: str) -> bool:
        """Train, and note the rate; returns whether it was done."""
        done = self.command(name, self.run_arguments(name, *overrides), self.left()) == 0
        if done:
            totals = read_json(self.folder / name / "training.json")
            self.steps[name] |= {"rate": totals["iterations"] / totals["seconds"], "iterations": totals["iterations"]}
        return done


def _ended(process: "subprocess.Popen[bytes]") -> int:
    """End a process that took too long; returns its status."""
    process.terminate()
    try:
        return process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def largest_difference(one: Path, other: Path) -> float:
    """Return the largest difference of a weight of two run folders."""
    states = [
        torch.load(path / "checkpoints/last.ckpt", map_location="cpu", weights_only=True)["state_dict"]
        for path in (one, other)
    ]
    return max(float((states[0][name] - states[1][name]).abs().max()) for name in states[0])
