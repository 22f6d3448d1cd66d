"""Commit, versions and machine that made a result."""

import functools
import platform
import subprocess
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import sr
from sr.runs.folders import ROOT

PACKAGES = (
    "torch",
    "lightning",
    "aimet-torch",
    "onnx",
    "onnxruntime",
    "onnxruntime-qnn",
    "numpy",
    "hydra-core",
)


def git_state(folder: Path) -> dict[str, str | bool | None]:
    """Return the commit of a checkout and whether files differ from it.

    Returns:
        {"commit", "dirty"}, both None where there is no checkout, no commit, or no git. A repository further up, such
        as one that holds the environment of an installed package, is not the code's.
    """
    if not (folder / ".git").exists():
        return {"commit": None, "dirty": None}
    commit, changes = _git(folder, "rev-parse", "HEAD"), _git(folder, "status", "--porcelain")
    return {"commit": commit, "dirty": None if commit is None or changes is None else bool(changes)}


def _git(folder: Path, *arguments: str) -> str | None:
    """Return the output of a git command, or None if it failed."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def versions() -> dict[str, str]:
    """Return the versions of the libraries that decide numbers; those not installed are left out."""
    found = {"sr-mobile": sr.__version__}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def _code_and_machine() -> dict[str, Any]:
    return {**git_state(ROOT), "versions": versions(), "machine": f"{platform.node()} {platform.machine()}"}


def maker() -> dict[str, Any]:
    """Return who makes a result now: {"commit", "dirty", "versions", "machine", "time" (UTC)}."""
    return {**_code_and_machine(), "time": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())}
