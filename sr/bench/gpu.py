"""Everything that is to be measured on a GPU, in one command of a few minutes: `sr bench gpu`."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from sr.bench.gpu_session import Session, largest_difference
from sr.bench.measurement import Measurement, format_machine
from sr.devices.accelerator import training_device
from sr.devices.world import World
from sr.report.table import Column, Table
from sr.runs.files import read_json
from sr.runs.folders import ROOT

_LEAST_S = 20
"""Seconds that a step needs at least; with less left it is skipped."""
_MILLION = 1_000_000
_COLUMNS = (
    Column("step", "step"),
    Column("status", "status"),
    Column("seconds", "seconds", ".1f"),
    Column("found", "found"),
)


def measure_gpu(
    overrides: Sequence[str], *, device: str, limit: float, iterations: int, seconds: float, only: str | None
) -> Measurement:
    """Run the tests marked `gpu` and measure training, resume, forward passes and quantization on a GPU.

    Args:
        overrides: Config overrides of every training.
        device: "cuda", or "cpu" to try the command itself.
        limit: Seconds for everything; what does not fit is left out.
        iterations: Iterations of the trainings that are compared, a multiple of 10.
        seconds: Duration of a block of `sr bench train`.
        only: Names of steps, separated by commas; None for all.

    Returns:
        The measurement; figures["steps"] has an entry for each step, done or not.

    Raises:
        ValueError: If there is no GPU and the device is not "cpu", or a step is unknown.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("sr bench gpu needs a CUDA device, and torch sees none here; --device cpu tries the command")
    wanted = list(STEPS) if only is None else only.split(",")
    if unknown := [name for name in wanted if name not in STEPS]:
        raise ValueError(f"--only {unknown[0]}: there is no such step; the steps are {', '.join(STEPS)}")
    if iterations % 10:
        raise ValueError(f"--iterations must be a multiple of 10, got {iterations}")
    with tempfile.TemporaryDirectory(prefix="sr-gpu-") as name:
        session = Session(Path(name), time.monotonic() + limit, list(overrides), device, iterations, seconds)
        for step in wanted:
            if session.left() < _LEAST_S:
                session.skip(step, "no time")
                continue
            print(f"{step} ({session.left():.0f} s left)", file=sys.stderr, flush=True)
            STEPS[step](session, step)
    figures: dict[str, Any] = {"card": _card(device), "steps": session.steps, "goals": goals(session.steps)}
    rows = [{"step": step, **entry, "found": _found(entry)} for step, entry in session.steps.items()]
    notes = [f"{name}: {value}" for name, value in figures["goals"].items()] + [format_machine()]
    return Measurement(
        setting={"device": device, "limit_s": limit, "iterations": iterations, "overrides": list(overrides)},
        figures=figures,
        tables=[Table(f"on {figures['card']}", _COLUMNS, rows, notes)],
    )


def goals(steps: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Return the figures that have a goal, of the steps that were done.

    >>> goals({"train_small_adam": {"rate": 2000.0}, "train_small_soap": {"rate": 1500.0}})
    {'minutes of a million Adam iterations of S': 8.33, 'SOAP to Adam': 0.75}
    """
    rates = {name: step["rate"] for name, step in steps.items() if "rate" in step}
    found = {}
    if adam := rates.get("train_small_adam"):
        found["minutes of a million Adam iterations of S"] = round(_MILLION / adam / 60, 2)
        if soap := rates.get("train_small_soap"):
            found["SOAP to Adam"] = round(soap / adam, 3)
    if (edsr := steps.get("train_edsr_adam", {})).get("to_plain_loop"):
        found["EDSR to the plain loop"] = round(edsr["to_plain_loop"], 3)
    return found


def _card(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else f"{training_device('cpu', World())} (no GPU)"


def _found(entry: dict[str, Any]) -> str:
    kept = {key: value for key, value in entry.items() if isinstance(value, int | float) and key != "seconds"}
    return ", ".join(f"{key} {value:.4g}" for key, value in kept.items())


def _tests(session: Session, name: str) -> None:
    """Run the tests that need a GPU."""
    if not (ROOT / "tests").is_dir() or find_spec("pytest") is None:
        return session.skip(name, "no checkout with tests, or no pytest")
    session.command(name, ["-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", str(ROOT / "tests")], 100)


def _trained(*overrides: str, limit: float = 40) -> Callable[[Session, str], None]:
    """Return the step that compares a training with the plain loop, eager and in one CUDA graph."""

    def step(session: Session, name: str) -> None:
        path = session.folder / f"{name}.json"
        options = ["--blocks", "3", "--seconds", str(session.seconds), "--json", str(path)]
        accelerator = "gpu" if session.device == "cuda" else "cpu"
        settings = [f"machine.accelerator={accelerator}", "data.lr_patch=64", *overrides, *session.overrides]
        if session.command(name, ["-m", "sr.bench", "train", *settings, *options], limit) == 0:
            loops = read_json(path)["figures"]["loops"]
            found = {"rate": loops[0]["iterations_per_second"], "to_plain_loop": loops[1]["sr_run_to_this"]}
            session.steps[name] |= {**found, "loops": loops}

    return step


def _graphs(session: Session, name: str) -> None:
    """Train with CUDA graphs."""
    session.train(name)


def _eager(session: Session, name: str) -> None:
    """Train without them; the nets differ by rounding."""
    if session.train(name, "machine.cuda_graphs=never") and session.steps.get("graphs", {}).get("status") == "done":
        session.steps[name]["largest_difference"] = largest_difference(session.folder / "graphs", session.folder / name)


def _resume(session: Session, name: str) -> None:
    """Stop a training by SIGTERM, resume it, and compare it with the one that was not stopped."""
    folder, started = session.folder / name, time.monotonic()
    arguments = session.run_arguments(name, f"train.checkpoint_every={max(10, session.iterations // 20)}")
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (folder / "checkpoints/last.ckpt").is_file() and session.left() > 0:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    stopped = process.wait()
    session.command(name, arguments, 60)
    session.steps[name] |= {"first_status": stopped, "seconds": time.monotonic() - started}
    whole = session.folder / "graphs"
    if session.steps[name]["status"] == "done" and (whole / "checkpoints/last.ckpt").is_file():
        session.steps[name]["largest_difference"] = largest_difference(whole, folder)


def _batches(session: Session, name: str) -> None:
    """Time MESRGAN's generators by batch size."""
    path, runs = session.folder / f"{name}.json", "100" if session.device == "cuda" else "1"
    options = ["--models", "srresnet,rrdbnet,mesrnet", "--runs", runs, "--json", str(path)]
    if session.command(name, ["-m", "sr.bench", "batches", *options], 70) == 0:
        session.steps[name]["passes"] = read_json(path)["figures"]["passes"]


def _quantized(session: Session, name: str) -> None:
    """Calibrate, round and tune with AIMET."""
    if find_spec("aimet_torch") is None:
        return session.skip(name, "AIMET is not installed")
    steps = ["quantization=w8a8_adaround_qat", "quantization.stages.adaround.iterations=200"]
    steps += ["quantization.stages.qat.iterations=100", "+callbacks.quantize._target_=sr.stages.quantize.Quantize"]
    if session.command(name, session.run_arguments(name, *steps), 90) == 0:
        figures = read_json(session.folder / name / "quantized/quantized.json")["figures"]
        session.steps[name] |= {key: value for key, value in figures.items() if isinstance(value, int | float)}


def _devices(session: Session, name: str) -> None:
    """Train one net on all GPUs of the machine."""
    count = torch.cuda.device_count() if session.device == "cuda" else min(2, os.cpu_count() or 1)
    if count < 2:
        return session.skip(name, "one device only")
    path, accelerator = session.folder / f"{name}.json", "gpu" if session.device == "cuda" else "cpu"
    options = ["--devices", f"1,{count}", "--iterations", str(session.iterations // 10), "--json", str(path)]
    settings = [f"machine.accelerator={accelerator}", *session.overrides]
    if session.command(name, ["-m", "sr.bench", "scale", *settings, *options], 60) == 0:
        session.steps[name]["scaling"] = read_json(path)["figures"]["scaling"]


def _large(session: Session, name: str) -> None:
    """Train QuickSRNet-L in the time that is left, and keep its scores."""
    rate = session.steps.get("train_large_adam", {}).get("rate", 50.0)
    iterations = max(10, int(rate * (session.left() - _LEAST_S) * 0.8) // 10 * 10)
    length = [f"train.iterations={iterations}", f"train.validate_every={iterations}", "model=quicksrnet_large"]
    if session.train(name, *(length if session.device == "cuda" else [])):
        files = (session.folder / name / "evaluation").glob("*.json")
        session.steps[name]["evaluation"] = {path.stem: read_json(path) for path in files}


STEPS: dict[str, Callable[[Session, str], None]] = {
    "tests": _tests,
    "train_small_soap": _trained("model=quicksrnet_small"),
    "train_small_adam": _trained("model=quicksrnet_small", "optimizer=adam"),
    "train_medium_adam": _trained("model=quicksrnet_medium", "optimizer=adam"),
    "train_large_adam": _trained("model=quicksrnet_large", "optimizer=adam"),
    "train_sesr_adam": _trained("model=sesr_m5", "optimizer=adam"),
    "train_edsr_adam": _trained("model=edsr_baseline", "optimizer=adam"),
    "graphs": _graphs,
    "eager": _eager,
    "resume": _resume,
    "batches": _batches,
    "devices": _devices,
    "quantized": _quantized,
    "large": _large,
}
"""Steps in their order: the most wanted first."""
