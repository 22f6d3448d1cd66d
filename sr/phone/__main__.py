"""Entry of `python -m sr.phone`; the command itself is in `command`."""

import sys

from sr.runs.entry import run_command

if __name__ == "__main__":
    sys.exit(run_command("sr.phone.command"))
