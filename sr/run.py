"""The doorstep: `python -m sr.run` composes a config, claims its run folder and hands both to `experiment`."""

import os
import signal
import sys
import traceback
from pathlib import Path

import hydra
from omegaconf import DictConfig

from sr.config import composition
from sr.runs.files import remove_leftovers, write_json
from sr.runs.identity import refuse_changes
from sr.runs.lock import claim
from sr.runs.signals import unstopped

FAILED = "failed.json"

composition.register_resolvers()


@hydra.main(version_base="1.3", config_path="../conf", config_name="config")
def main(config: DictConfig) -> str | None:
    """Run one experiment; a user's mistake ends in one message, and in a sweep the other jobs go on.

    Returns:
        What went wrong, for the list at a sweep's end; None when all went well.
    """
    try:
        run(config)
    except Exception as error:
        if composition.in_multirun():
            print(f"FAILED {composition.output_folder().name}: {error}", file=sys.stderr)
            return f"{type(error).__name__}: {error}"
        if isinstance(error, ValueError | OSError) and "HYDRA_FULL_ERROR" not in os.environ:
            failure = composition.output_folder() / FAILED
            sys.exit(f"Error: {error}" + (f"\n(where it arose: {failure})" if failure.is_file() else ""))
        raise
    return None


def run(config: DictConfig) -> None:
    """Complete the run that Hydra is at."""
    composition.refuse_unexpanded_sweep()
    complete(config, composition.output_folder())


def complete(config: DictConfig, folder: Path) -> None:
    """Complete the run that `config` describes, or tell that it is finished already."""
    with claim(folder):
        remove_leftovers(folder)
        refuse_changes(folder, composition.plain(config))
        if (folder / "report.json").is_file():
            print(f"{folder} is finished; nothing to do. Its table: python -m sr.report {folder.parent}")
            return
        failure = folder / FAILED
        failure.unlink(missing_ok=True)
        try:
            with unstopped():
                from sr import experiment  # seconds, after which a stop is a stop like any later one

            experiment.run(config, folder, pixel_run)
        except Exception as error:
            write_json(failure, {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()})
            raise
        except (KeyboardInterrupt, SystemExit) as end:  # Ctrl-C, which Lightning turns into a SystemExit; or SIGTERM
            print("\nStopped. The same command goes on from the last checkpoint.", file=sys.stderr)
            sigterm = type(end).__name__ == "SIGTERMException"  # Lightning's, which may not be imported yet
            sys.exit(128 + (signal.SIGTERM if sigterm else signal.SIGINT))


def pixel_run(config: DictConfig) -> Path:
    """Complete the pixel-loss run that a config with `init=pixel` starts from; returns its folder."""
    with composition.pixel_config(config) as (first, folder):
        print(f"first stage, with the pixel loss: {folder}")
        complete(first, folder)
    return folder


def answer() -> None:
    """Run what the command line asks for; where Hydra refuses it, say what may have been meant."""
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped before the run began.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except SystemExit as end:
        if end.code == 1:  # our own errors end in their message
            from sr.config.hints import hints

            print("", *hints(sys.argv[1:]), sep="\n", file=sys.stderr)
        raise


if __name__ == "__main__":
    answer()
