"""Compare ten tiny runs of this checkout with those of another commit, number by number.

`python tests/end_to_end/ten_runs.py REVISION` runs the same ten commands here and in a temporary worktree of REVISION,
in fp32 with one thread, and lists each loss, weight, simulated weight, score and certificate row that differs. A change
that should not move any number is checked by it. It takes some minutes; exit status 1 means a difference. Scores whose
last digit alone differs, as after sums in another order, are counted apart.
"""

import argparse
import csv
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TINY = (
    "model=quicksrnet model.f=8 model.m=1 train.iterations=40 train.chunk=4 train.precision=fp32 "
    "train.validate_every=20 train.checkpoint_every=20 machine.threads=1 "
    "data.batch_size=2 data.lr_patch=16 data.val_images=1 data.val_crop=128 "
    "quantization.calibration_batches=1 size=64x96 export.num_crops=1 export.crop_lr_side=48 export.emulate=[69] "
    "export.chips=[SM8450] export.estimates=[] callbacks.cost.num_repeats=1"
)
QAT = "quantization=w8a8_qat quantization.stages.qat.iterations=8 quantization.stages.qat.checkpoint_every=4"
FLOAT = "quantization=fp32 export=none"
RUNS = {
    "default": TINY,
    "qat": f"{TINY} {QAT}",
    "fp32": f"{TINY} {FLOAT}",
    "gan": f"{TINY} {FLOAT} task=gan task/perceptual=none init=pixel",
    "pruning": f"{TINY} {FLOAT} task=pruning task.rounds=2",
    "filters": f"{TINY} {FLOAT} init={{default}} filters=fisher filters.num_batches=2",
    "distillation": f"{TINY} {FLOAT} task=distillation task.teacher.source={{default}} seed=1",
    "bicubic": f"{TINY} {FLOAT} model=bicubic model.f= model.m=",
    "no_iterations": f"{TINY} quantization=w8a8_ptq export=onnx init={{default}} train.iterations=0",
    "over_parameterized": f"{TINY} {FLOAT} model.overparameterize=ecb",
}
"""Name of the run -> its command line; {name} stands for the folder of an earlier run."""
HEXAGON_KEYS = ("export.num_crops", "export.crop_lr_side", "export.emulate", "export.chips", "export.estimates")


def overrides(command: str, folders: dict[str, Path]) -> list[str]:
    """Return the overrides of a command: later values win, and keys that its export or net lacks are left out."""
    chosen = dict(item.split("=", 1) for item in command.format(**folders).split())
    if chosen.get("export") == "none":
        chosen = {key: value for key, value in chosen.items() if key not in HEXAGON_KEYS}
    if chosen.get("export") == "onnx":
        chosen = {key: value for key, value in chosen.items() if key not in HEXAGON_KEYS[2:]}
    if chosen.get("quantization") == "fp32":
        chosen = {key: value for key, value in chosen.items() if not key.startswith("quantization.")}
    return [f"{key}={value}" for key, value in chosen.items() if value]


def run_all(checkout: Path, outputs: Path) -> dict[str, dict[str, str]]:
    """Run the ten commands with the code of a checkout; returns {run: {what: value}}."""
    folders: dict[str, Path] = {}
    found = {}
    alone = ["reuse=never"] if "\nreuse:" in (checkout / "conf/config.yaml").read_text(encoding="utf-8") else []
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    for name, command in RUNS.items():
        folder = folders[name] = outputs / name
        line = [sys.executable, "-m", "sr.run", f"hydra.run.dir={folder}", *overrides(command, folders), *alone]
        done = subprocess.run(line, cwd=checkout, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{name} failed in {checkout}:\n{' '.join(line)}\n{(done.stdout + done.stderr)[-2000:]}")
        found[name] = facts(folder)
        print(f"{checkout}: {name}, {len(found[name])} facts", flush=True)
    return found


def facts(folder: Path) -> dict[str, str]:
    """Return what a run computed, as text: losses, tensors (hashed), scores and rows of the certificate."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    found = {f"score {key}": value for key, value in _leaves(report["quality"])}
    for path in sorted(folder.rglob("metrics.csv")):
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                kept = {key: value for key, value in row.items() if value and key.startswith(("train/loss", "val/"))}
                found |= {f"step {row['step']} {key}": value for key, value in kept.items()}
    weights = folder / "float/weights.safetensors"
    if weights.is_file():
        from safetensors.torch import load_file

        found |= {f"float {name}": _hash(value) for name, value in load_file(weights).items()}
    simulation = folder / "quantized/simulation.pt"
    if simulation.is_file():
        import torch

        state = torch.load(simulation, weights_only=True)["state"]
        found |= {f"simulation {name}": _hash(value) for name, value in state.items() if hasattr(value, "numpy")}
    certificate = folder / "export/certificate.json"
    if certificate.is_file():
        links = json.loads(certificate.read_text(encoding="utf-8"))["links"]
        found |= {f"certificate {key}": value for key, value in _leaves(links)}
    return found


def _hash(tensor: Any) -> str:
    return hashlib.sha256(tensor.detach().contiguous().numpy().tobytes()).hexdigest()[:16]


def _leaves(content: Any, key: str = "") -> list[tuple[str, str]]:
    if isinstance(content, dict):
        return [leaf for name, value in content.items() for leaf in _leaves(value, f"{key}.{name}".lstrip("."))]
    if isinstance(content, list):
        return [leaf for index, value in enumerate(content) for leaf in _leaves(value, f"{key}[{index}]")]
    return [(key, "nan" if isinstance(content, float) and math.isnan(content) else str(content))]


def main() -> int:
    """Run both sides and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="commit to compare with, such as HEAD~1")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        other = Path(scratch) / "checkout"
        subprocess.run(["git", "worktree", "add", "--detach", str(other), options.revision], cwd=ROOT, check=True)
        try:
            before = run_all(other, Path(scratch) / "before")
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(other)], cwd=ROOT, check=True)
        after = run_all(ROOT, Path(scratch) / "after")
    return compare(before, after)


def compare(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> int:
    """Print what differs; returns the exit status."""
    different = rounded = 0
    for name, expected in before.items():
        for key in sorted({*expected, *after[name]}):
            old, new = expected.get(key), after[name].get(key)
            if old != new and key.startswith("score") and _is_rounding(old, new):
                rounded += 1
            elif old != new:
                different += 1
                print(f"{name}: {key}: {old} before, {new} now")
    total = sum(len(each) for each in before.values())
    print(f"{total - different - rounded} of {total} facts of ten runs are the same, {rounded} scores but for rounding")
    return 1 if different else 0


def _is_rounding(old: str | None, new: str | None) -> bool:
    """Whether two scores are the same to 14 digits."""
    try:
        return math.isclose(float(old or ""), float(new or ""), rel_tol=1e-14)
    except ValueError:
        return False


if __name__ == "__main__":
    sys.exit(main())
