"""Command line of `python -m sr.run`: compose the config, lock the run folder, train."""

import sys

from sr.runs.failures import make_printable
from sr.runs.signals import ending_at_once


def main() -> int:
    """Run what the command line asks for; returns the exit status."""
    make_printable()
    with ending_at_once():
        from sr.job import start  # Hydra: half a second in which Ctrl-C and SIGTERM count already

        return start(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
