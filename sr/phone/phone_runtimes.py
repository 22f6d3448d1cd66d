"""Runtimes on a phone: the files that each needs, and what its output says about time and about the NPU."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sr.export.hexagon.chips import CHIPS
from sr.phone.opened_kit import ChosenModels
from sr.phone.qairt import check_version, find_sdk, profile_reader, read_profile, sdk_files

WARMUP = 10
"""Passes before the timed ones."""
_EVENTS = ("QNN (execute) time", "RPC (execute) time")  # with what the host adds; the first that the profile has
_ACCELERATOR = ("QNN accelerator (execute) time", "Accelerator (execute) time")
_COUNT = re.compile(r"\bcount=(\d+)(.*)")
_VALUE = re.compile(r"(\w+)=([\d.e+]+)")
_DELEGATED = re.compile(r"Explicitly applied (\w+) delegate, and the model graph will be (completely|partially)(.*)")
_CPU_DELEGATES = ("XNNPACK",)


@dataclass(frozen=True, kw_only=True)
class RuntimePlan:
    """What a runtime needs on the phone.

    Args:
        files: Name on the phone -> file.
        programs: Names of those that run.
        model: Ending of the model's file that the runtime opens.
        version: Version of the runtime.
        arguments: Of run.sh, behind the runtime's name and the models.
    """

    files: Mapping[str, Path]
    programs: Sequence[str]
    model: str
    version: str
    arguments: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a runtime says about its passes.

    Args:
        latency_ms: Times of a pass in ms: "median", "mean", "min" and what else the runtime gives; empty if unknown.
        off_npu: A line for each part that did not run on the NPU.
        notes: What could not be measured, and why.
        version: Version of the runtime, if its output tells it.
    """

    latency_ms: dict[str, float]
    off_npu: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    version: str = ""


def plan_qnn(sdk: Path | None, chip: str, compiler: str) -> RuntimePlan:
    """Return what qnn-net-run needs.

    Args:
        sdk: Folder of the QAIRT SDK; None takes an environment variable.
        chip: Part number.
        compiler: QAIRT version that the files were compiled by.

    Raises:
        ValueError: The SDK is missing, is older than the compiler, or lacks a file.
    """
    found = find_sdk(sdk)
    version = check_version(found, compiler)
    files = sdk_files(found, CHIPS[chip].arch)
    return RuntimePlan(files=files, programs=["qnn-net-run"], model=".bin", version=f"QAIRT {version}")


def plan_litert(tool: Path | None, delegate: str) -> RuntimePlan:
    """Return what LiteRT's benchmark_model needs.

    Args:
        tool: The program, built for Android; None is refused.
        delegate: "cpu", "gpu", or the library of a delegate, such as libQnnTFLiteDelegate.so.

    Raises:
        ValueError: A file is missing.
    """
    if tool is None or not tool.is_file():
        raise ValueError(
            f"--runtime litert needs benchmark_model for Android (arm64), got {tool or 'none'}: get it as "
            "https://ai.google.dev/edge/litert/models/measurement says, and give --tool <file>"
        )
    files = {"benchmark_model": tool}
    arguments = {"cpu": ["--use_xnnpack=true"], "gpu": ["--use_gpu=true"]}.get(delegate)
    if arguments is None:
        library = Path(delegate).expanduser()
        if not library.is_file():
            raise ValueError(f"--delegate is cpu, gpu or the file of a delegate's library, got {delegate!r}")
        beside = sorted(library.parent.glob("libQnn*.so")) if library.name.startswith("libQnn") else []
        files |= {path.name: path for path in (*beside, library)}
        arguments = [f"--external_delegate_path=./{library.name}", "--external_delegate_options=backend_type:htp"]
    version = f"benchmark_model with delegate {Path(delegate).name}"
    return RuntimePlan(files=files, programs=["benchmark_model"], model=".tflite", arguments=arguments, version=version)


def pushed(
    plan: RuntimePlan, models: ChosenModels, kit: Path, frames: Sequence[str]
) -> tuple[dict[str, Path], list[str]]:
    """Return all files to push, and the names of the models for run.sh.

    Args:
        plan: Of the runtime.
        models: Chosen models.
        kit: The kit's folder.
        frames: Names of the input frames.
    """
    files = dict(plan.files) | {"run.sh": kit / "run.sh"}
    names = []
    for model in (models.crops, models.frame):
        own = {} if model is None else {Path(name).name: kit / name for name in model["files"]}
        names.append(next((name for name in own if name.endswith(plan.model)), "-"))
        files |= own
    return files | {f"{name}.raw": kit / f"inputs/{name}.raw" for name in frames}, names


def qnn_measured(out: Path, sdk: Path | None) -> Measured:
    """Return what qnn-net-run's profile says.

    Args:
        out: Folder of the results.
        sdk: Folder of the QAIRT SDK; None takes an environment variable.
    """
    reader = profile_reader(find_sdk(sdk))
    logs = sorted((out / "passes").glob("qnn-profiling-data*.log"))
    if reader is None or not logs:
        what = "the SDK has no qnn-profile-viewer for this computer" if logs else "qnn-net-run wrote no profile"
        return Measured(latency_ms={}, notes=[f"no times: {what}"])
    times = read_profile(reader, logs[0])
    passes = next((times[event] for event in _EVENTS if event in times), [])[WARMUP:]
    chip = next((times[event] for event in _ACCELERATOR if event in times), [])[WARMUP:]
    off = [] if any(value > 0 for value in chip) else ["everything: the profile has no time of the accelerator"]
    found = summary(passes) if passes else {}
    if chip and found:
        found["accelerator_median"] = float(np.median(chip)) / 1000
    return Measured(latency_ms=found, off_npu=off, notes=[] if found else ["no times: the profile has no passes"])


def litert_measured(log: str) -> Measured:
    """Return what benchmark_model's log says.

    Args:
        log: What it printed.

    >>> text = "Explicitly applied GPU delegate, and the model graph will be partially executed by the delegate w/ 2"
    >>> litert_measured(text).off_npu
    ['a part: the GPU delegate took the graph partially (w/ 2)']
    """
    counts = [dict(_VALUE.findall(found[2])) for line in log.splitlines() if (found := _COUNT.search(line))]
    names = {"avg": "mean", "min": "min", "max": "max", "std": "std", "p5": "p5", "median": "median", "p95": "p95"}
    last = counts[-1] if counts else {}
    latency = {names[key]: float(value) / 1000 for key, value in last.items() if key in names}
    notes = [] if latency else ["no times: benchmark_model printed no line with count="]
    if latency and "median" not in latency:
        latency["median"] = latency["mean"]
        notes.append("the median is the mean: this benchmark_model prints no percentiles")
    return Measured(latency_ms=latency, off_npu=_off_npu(log), notes=notes)


def _off_npu(log: str) -> list[str]:
    found = [match for line in log.splitlines() if (match := _DELEGATED.search(line))]
    if not found:
        return ["everything: no delegate took the graph, so it ran on the CPU"]
    lines = []
    for match in found:
        name, share, more = match.groups()
        if name in _CPU_DELEGATES:
            lines.append(f"everything: {name} runs on the CPU")
        elif share == "partially":
            detail = more.removeprefix(" executed by the delegate").strip(" .")
            lines.append(f"a part: the {name} delegate took the graph partially ({detail})")
        elif name == "GPU":
            lines.append("everything: the GPU delegate ran the graph on the GPU")
    return lines


def summary(passes: Sequence[float]) -> dict[str, float]:
    """Return percentiles in ms of passes, and the medians of the first and the last fifth.

    Args:
        passes: Times in microseconds, in their order.
    """
    values = np.asarray(passes) / 1000
    fifth = max(1, len(values) // 5)
    points = dict(zip(("median", "p90", "p99"), np.percentile(values, (50, 90, 99)), strict=True))
    points |= {"mean": values.mean(), "min": values.min(), "max": values.max()}
    points |= {"first_fifth": np.median(values[:fifth]), "last_fifth": np.median(values[-fifth:])}
    return {name: round(float(value), 4) for name, value in points.items()}


def format_measured(measured: Measured) -> list[str]:
    """Return the lines for the screen.

    Args:
        measured: Result of a runtime.
    """
    lines = [*(f"off the NPU: {line}" for line in measured.off_npu), *measured.notes]
    if times := measured.latency_ms:
        lines.append("ms a pass: " + ", ".join(f"{name} {value:.3f}" for name, value in times.items()))
    return lines


def device_facts(asked: Any) -> dict[str, str]:
    """Return model, chip and Android version of a phone.

    Args:
        asked: Function from a command to what it printed.
    """
    properties = {
        "device": "ro.product.model",
        "chip": "ro.soc.model",
        "android": "ro.build.version.release",
        "build": "ro.build.id",
    }
    return {name: asked(f"getprop {key}") for name, key in properties.items()}


def temperature_c(asked: Any) -> float | None:
    """Return the battery's temperature, the only one that a phone tells without root; None if it does not.

    Args:
        asked: Function from a command to what it printed.

    >>> temperature_c(lambda command: "  level: 80   temperature: 312")
    31.2
    """
    found = re.search(r"temperature: (-?\d+)", asked("dumpsys battery"))
    return int(found[1]) / 10 if found else None
