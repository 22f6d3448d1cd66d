"""Command line of `python -m sr.run`: compose the config, lock the run folder, train (`sr.job`)."""

import sys

from sr.runs.entry import run_command


def main() -> int:
    """Run what the command line asks for; returns the exit status."""
    return run_command("sr.job", "start")


if __name__ == "__main__":
    sys.exit(main())
