"""A phone over adb: find it, push, run a command, pull."""

import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_SECONDS = 120.0
_LAST_LINES = 4
_STATES = {
    "unauthorized": "unlock its screen and accept this computer's key",
    "offline": "unplug it and plug it in again, or run `adb kill-server`",
    "no permissions": "give your user access to USB devices (udev rules on Linux), then run `adb kill-server`",
}


class AdbError(ValueError):
    """A command of adb failed; the message says which, and what the phone said."""


class Phone:
    """Phone that adb reaches.

    Args:
        adb: The adb program.
        serial: Serial number of the phone.
    """

    def __init__(self, adb: str, serial: str) -> None:
        self.adb, self.serial = adb, serial

    def shell(self, command: str, seconds: float = _SECONDS) -> str:
        """Run a command on the phone and return what it printed.

        Args:
            command: For the phone's shell.
            seconds: Longest time.

        Raises:
            AdbError: It failed, or took longer.
        """
        return self._adb("shell", command, seconds=seconds)

    def asked(self, command: str) -> str:
        """Return what a command on the phone printed, stripped; empty if it fails."""
        try:
            return self.shell(command).strip()
        except AdbError:
            return ""

    def push(self, files: Mapping[str, Path], folder: str) -> None:
        """Push files into a fresh folder, and check that each one arrived whole.

        Args:
            files: Name on the phone -> file.
            folder: Folder on the phone; whatever is in it is removed.

        Raises:
            AdbError: A file did not arrive whole.
        """
        place = shlex.quote(folder)
        self.shell(f"rm -rf {place} && mkdir -p {place}")
        for name, file in files.items():
            self._adb("push", str(file), f"{folder}/{name}", seconds=_SECONDS)
        counted = self.shell(f"cd {place} && wc -c {' '.join(map(shlex.quote, files))}")
        there = {name: int(size) for size, name in (line.split(maxsplit=1) for line in counted.splitlines())}
        for name, file in files.items():
            size = file.stat().st_size
            if there.get(name) != size:
                raise AdbError(
                    f"the push of {name} to the phone broke off: {there.get(name, 0)} of {size} bytes are there; "
                    f"check the cable and the free space (`adb shell df -h {folder}`), then run the command again"
                )

    def pull(self, source: str, target: Path) -> None:
        """Pull a folder to a place that does not exist yet.

        Args:
            source: Folder on the phone.
            target: Folder here.

        Raises:
            AdbError: It failed.
        """
        self._adb("pull", source, str(target), seconds=_SECONDS)

    def _adb(self, *arguments: str, seconds: float) -> str:
        what = f"`adb {arguments[0]} {arguments[1][:60]}`"
        try:
            done = subprocess.run(
                [self.adb, "-s", self.serial, *arguments],
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise AdbError(f"{what} did not end within {seconds:g} s; restart the phone and try again") from error
        if done.returncode:
            raise AdbError(f"{what} failed with status {done.returncode}: {_last(done.stdout + done.stderr)}")
        return done.stdout


def find_phone(adb: str | None, device: str | None) -> Phone:
    """Return the phone of a serial number, or the only one.

    Args:
        adb: The adb program; None searches PATH.
        device: Serial number, as `adb devices` lists it.

    Raises:
        ValueError: There is no adb, no phone, more than one, or it is not ready; the message says what to do.
    """
    program = shutil.which(adb or "adb")
    if program is None:
        raise ValueError(
            f"{adb or 'adb'} is not found; install Android's platform-tools and put them on PATH, or give --adb <file>"
        )
    done = subprocess.run([program, "devices"], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise ValueError(f"`adb devices` failed: {_last(done.stdout + done.stderr)}; run `adb kill-server`, try again")
    states = _states(done.stdout.splitlines()[1:])
    if not states:
        raise ValueError("adb lists no phone; switch on USB debugging on the phone and connect it, see docs/phone.md")
    if device is None and len(states) > 1:
        raise ValueError(
            f"adb lists {len(states)} phones ({', '.join(states)}); name one: --device {next(iter(states))}"
        )
    serial = device or next(iter(states))
    if serial not in states:
        raise ValueError(f"adb lists no phone {serial}; it lists {', '.join(states)}")
    if (state := states[serial]) != "device":
        advice = next((text for start, text in _STATES.items() if state.startswith(start)), "see `adb devices`")
        raise ValueError(f"the phone {serial} is {state}: {advice}")
    return Phone(program, serial)


def _states(lines: Sequence[str]) -> dict[str, str]:
    """Return {serial: state} of the list of `adb devices`.

    >>> _states(["R5CT10 device", "emulator-5554 offline", ""])
    {'R5CT10': 'device', 'emulator-5554': 'offline'}
    """
    pairs = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("*")]
    return {pair[0]: pair[1].strip() if len(pair) > 1 else "unknown" for pair in pairs}


def _last(text: str) -> str:
    """Return the last lines of a text as one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-_LAST_LINES:]) or "it printed nothing"
