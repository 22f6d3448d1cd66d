"""Files of Qualcomm's QAIRT SDK that a phone needs, its version, and its profile reader."""

import csv
import os
import platform
import re
import subprocess
from pathlib import Path

from sr.runs.files import temporary_folder

VARIABLES = ("QAIRT_SDK_ROOT", "QNN_SDK_ROOT")
WHERE = "https://www.qualcomm.com/developer/software/qualcomm-ai-engine-direct-sdk"
_VERSION = re.compile(r"\b(\d+\.\d+\.\d+)(?:\.\d+)?\b")
_TARGET = "aarch64-android"
_HOSTS = {"Linux": "x86_64-linux-clang", "Windows": "x86_64-windows-msvc"}


def find_sdk(given: Path | None) -> Path:
    """Return the folder of the SDK.

    Args:
        given: From the command line; None takes an environment variable.

    Raises:
        ValueError: There is none; the message says where to get it.
    """
    named = given or next((Path(os.environ[name]) for name in VARIABLES if os.environ.get(name)), None)
    if named is None:
        raise ValueError(f"--runtime qnn needs Qualcomm's QAIRT SDK: get it from {WHERE}, and give --sdk <its folder>")
    folder = named.expanduser()
    if not (folder / "lib").is_dir():
        raise ValueError(f"{folder} is no QAIRT SDK: it has no folder lib; give --sdk <folder with bin and lib>")
    return folder


def sdk_files(sdk: Path, arch: int) -> dict[str, Path]:
    """Return what has to be pushed for an HTP version, by its name.

    Args:
        sdk: Folder of the SDK.
        arch: HTP version, such as 73.

    Raises:
        ValueError: A file is missing; the message lists all.
    """
    on_arm, on_dsp = sdk / "lib" / _TARGET, sdk / "lib" / f"hexagon-v{arch}" / "unsigned"
    paths = [
        sdk / "bin" / _TARGET / "qnn-net-run",
        on_arm / "libQnnHtp.so",
        on_arm / "libQnnSystem.so",
        on_arm / "libQnnHtpNetRunExtensions.so",
        on_arm / f"libQnnHtpV{arch}Stub.so",
        on_dsp / f"libQnnHtpV{arch}Skel.so",
    ]
    if missing := [path.relative_to(sdk).as_posix() for path in paths if not path.is_file()]:
        raise ValueError(
            f"the QAIRT SDK {sdk} lacks {', '.join(missing)}; install its parts for Android and Hexagon v{arch}"
        )
    return {path.name: path for path in paths}


def sdk_version(sdk: Path) -> str | None:
    """Return the version of an SDK, such as "2.51.0", from its sdk.yaml or its folder's name; None if unknown."""
    file = sdk / "sdk.yaml"
    texts = [file.read_text(encoding="utf-8", errors="replace")] if file.is_file() else []
    for text in (*texts, sdk.resolve().name):
        if found := _VERSION.search(text):
            return found[1]
    return None


def check_version(sdk: Path, compiler: str) -> str:
    """Return the SDK's version if it can read what a compiler wrote.

    Args:
        sdk: Folder of the SDK.
        compiler: QAIRT version of the compiler, from the kit.

    Raises:
        ValueError: The SDK is older than the compiler, or says no version.
    """
    version = sdk_version(sdk)
    if version is None:
        raise ValueError(f"the QAIRT SDK {sdk} says no version; keep its folder's name, such as qairt/2.51.0.250929")
    if compiler and _numbers(version) < _numbers(compiler):
        raise ValueError(
            f"the QAIRT SDK is {version}, and the files were compiled by QAIRT {compiler}: an older runtime does not "
            f"load them. Take an SDK of {compiler} or newer, or export with an onnxruntime-qnn that has QAIRT {version}"
        )
    return version


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def profile_reader(sdk: Path) -> Path | None:
    """Return the program of the SDK that reads profiles on this computer; None if it has none."""
    folder = sdk / "bin" / _HOSTS.get(platform.system(), "none")
    found = [folder / name for name in ("qnn-profile-viewer", "qnn-profile-viewer.exe") if (folder / name).is_file()]
    return found[0] if found else None


def read_profile(reader: Path, log: Path) -> dict[str, list[float]]:
    """Return the times of every pass in microseconds, by the name of the event.

    Args:
        reader: The program of the SDK.
        log: Profile that qnn-net-run wrote.

    Raises:
        ValueError: The program fails; the message has what it printed.
    """
    with temporary_folder(log.parent) as place:
        table = place / "profile.csv"
        command = [str(reader), "--input_log", str(log), "--output", str(table)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120, check=False)
        if done.returncode or not table.is_file():
            raise ValueError(f"{reader.name} cannot read {log.name}: {(done.stdout + done.stderr).strip()[-300:]}")
        return times_of(table)


def times_of(table: Path) -> dict[str, list[float]]:
    """Return the times in microseconds of a profile's table, by the name of the event.

    Args:
        table: CSV with the columns "Time", "Unit of Measurement" and "Event Identifier".
    """
    found: dict[str, list[float]] = {}
    with open(table, newline="", encoding="utf-8", errors="replace") as file:
        lines = [line for line in file if line.strip()]
    start = next((n for n, line in enumerate(lines) if "Event Identifier" in line), len(lines))
    for row in csv.DictReader(lines[start:]):
        if row.get("Unit of Measurement", "").strip() == "US":
            found.setdefault(row["Event Identifier"].strip(), []).append(float(row["Time"]))
    return found
