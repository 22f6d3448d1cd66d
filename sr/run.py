"""Command line of `python -m sr.run`: compose the config, lock the run folder, train (`sr.job`)."""

import sys

from sr.devices.world import current_world
from sr.runs.entry import run_command


def main() -> int:
    """Run what the command line asks for; returns the exit status.

    Of several processes that train together, only the first reads the command line; the others follow it.
    """
    if current_world().rank:
        return run_command("sr.follower", "follow_leader")
    return run_command("sr.job", "start")


if __name__ == "__main__":
    sys.exit(main())
