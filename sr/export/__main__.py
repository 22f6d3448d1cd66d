"""Entry of `python -m sr.export`; the command itself is in `sr.api.command`."""

import sys

from sr.runs.entry import run_command

if __name__ == "__main__":
    sys.exit(run_command("sr.api.command"))
