"""ncnn on a phone: the runner that it needs, and what its output says about time."""

import re
from pathlib import Path

from sr.phone.phone_runtimes import Measured, RuntimePlan, summary

RUNNER = "ncnn_runner"
SOURCE = Path(__file__).with_name(f"{RUNNER}.cpp")
_DEVICES = ("cpu", "gpu")
_LIBRARIES = ("libncnn.so", "libc++_shared.so", "libomp.so")  # of a runner that is not linked statically
_PASS = re.compile(r"^pass_us ([\d.]+)", re.MULTILINE)
_VERSION = re.compile(r"^version (.*)", re.MULTILINE)


def plan_ncnn(tool: Path | None, delegate: str) -> RuntimePlan:
    """Return what ncnn's runner needs.

    Args:
        tool: The runner, built for Android; None is refused.
        delegate: "cpu" or "gpu".

    Raises:
        ValueError: The runner is missing, or the delegate is another.
    """
    if tool is None or not tool.is_file():
        raise ValueError(
            f"--runtime ncnn needs {RUNNER} for Android (arm64), got {tool or 'none'}: build it from {SOURCE} with the "
            "NDK and ncnn's release for Android, as docs/phone.md says, and give --tool <file>"
        )
    if delegate not in _DEVICES:
        raise ValueError(f"with --runtime ncnn --delegate is cpu or gpu, got {delegate!r}")
    beside = {name: tool.parent / name for name in _LIBRARIES if (tool.parent / name).is_file()}
    return RuntimePlan(
        files={RUNNER: tool, **beside}, programs=[RUNNER], model=".param", version="ncnn", arguments=[delegate]
    )


def ncnn_measured(log: str) -> Measured:
    """Return what the runner's log says.

    Args:
        log: What it printed.

    >>> ncnn_measured("pass_us 1500.0").latency_ms["median"]
    1.5
    """
    passes = [float(value) for value in _PASS.findall(log)]
    versions = _VERSION.findall(log)
    version = versions[-1].strip() if versions else ""
    where = "GPU" if version.endswith("GPU") else "CPU"
    notes = [] if passes else [f"no times: {RUNNER} printed no line with pass_us"]
    off = [f"everything: ncnn runs on the {where}"]
    return Measured(latency_ms=summary(passes) if passes else {}, off_npu=off, notes=notes, version=version)
