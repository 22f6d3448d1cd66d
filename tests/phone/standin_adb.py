"""A program that answers as adb does: the phone is a folder, its shell is this computer's.

Environment: STANDIN_ROOT, the folder; STANDIN_DEVICES, the lines of `adb devices`; STANDIN_FAULT, what goes wrong.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

TEMPORARY = "/data/local/tmp"


def place(path: str) -> Path:
    """Return the place of a path of the phone."""
    return Path(os.environ["STANDIN_ROOT"]) / path.lstrip("/")


def push(source: str, target: str) -> int:
    """Copy a file to the phone; a broken cable leaves a part of it."""
    shutil.copyfile(source, place(target))
    if os.environ.get("STANDIN_FAULT") == "broken push" and target.endswith("frame.raw"):
        place(target).write_bytes(Path(source).read_bytes()[:100])
    if os.environ.get("STANDIN_FAULT") == "full phone":
        print(f"adb: error: failed to copy '{source}' to '{target}': No space left on device", file=sys.stderr)
        return 1
    return 0


def shell(command: str) -> int:
    """Run a command in the folder of the phone, with its getprop and dumpsys in front of PATH."""
    local = command.replace(TEMPORARY, str(place(TEMPORARY)))
    environment = {**os.environ, "PATH": f"{place('/system/bin')}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(["sh", "-c", local], env=environment, check=False).returncode


def main(arguments: list[str]) -> int:
    """Answer a command line; returns the exit status."""
    if arguments == ["devices"]:
        print("List of devices attached\n" + os.environ["STANDIN_DEVICES"])
        return 0
    action, *rest = arguments[2:]
    if action == "push":
        return push(*rest)
    if action == "pull":
        shutil.copytree(place(rest[0]), rest[1])
        return 0
    return shell(rest[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
