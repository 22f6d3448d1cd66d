"""Hydra's part of `python -m sr.run`: lock the run folder, run the experiment, keep the traceback of what failed."""

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import hydra
import yaml
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from sr.config import composition
from sr.config.command_line import options_first, refuse_other_launchers, refuse_unreadable
from sr.config.hints import hints
from sr.config.redo import remove_results, with_dependents
from sr.config.validation import check_settings
from sr.devices.starting import devices_to_start, leading, run_on_devices
from sr.devices.world import current_world, launched
from sr.report.record import is_finished
from sr.runs.failures import in_one_line, is_refusal, print_error, shows_tracebacks
from sr.runs.files import remove_leftovers, write_atomically, write_json
from sr.runs.folders import ROOT
from sr.runs.identity import refuse_changes
from sr.runs.lock import claim
from sr.runs.names import refuse_links_out
from sr.runs.results import lost_in
from sr.runs.signals import STOPPED, STOPS, raising_stops, stopped_by
from sr.runs.training_lock import claim_when_free
from sr.runs.unstarted import remove_unstarted

FAILED = "failed.json"
OVERRIDES = ".hydra/overrides.yaml"
RERUN = "--experimental-rerun"


def start(arguments: Sequence[str]) -> int:
    """Let Hydra compose the config of a command line and run its jobs; returns the exit status.

    Args:
        arguments: of the command line, for the hints; Hydra reads `sys.argv` itself.
    """
    full = shows_tracebacks()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises its errors, which are printed here

    @hydra.main(version_base="1.3", config_path=str(ROOT / "conf"), config_name="config")
    def job(config: DictConfig) -> str | None:
        return run_job(config, full=full)

    composition.register_resolvers()
    try:
        refuse_pickles(arguments)
        refuse_other_launchers(arguments)
        refuse_unreadable(arguments)
        sys.argv[1:] = options_first(arguments)
        with leading():
            job()
    except Exception as error:
        refused = isinstance(error, HydraException | OmegaConfBaseException)
        print_error(error, full=full, hint=" ".join(hints(arguments)) if refused else "")
        return 1
    except SystemExit as end:
        if end.code in [128 + number for number in STOPS] and not launched():
            print(f"\n{STOPPED}", file=sys.stderr)
        raise
    return 0


def refuse_pickles(arguments: Sequence[str]) -> None:
    """Refuse the option of Hydra that reads a run's config from a pickle.

    Raises:
        ValueError: the option, which may be shortened as argparse allows.
    """
    if any(RERUN.startswith(text.split("=")[0]) for text in arguments if text.startswith("--e")):
        raise ValueError(f"{RERUN} unpickles a file, which can run any code; give the run's overrides instead")


def run_job(config: DictConfig, *, full: bool) -> str | None:
    """Run one job; an error ends in one message, and in a sweep the other jobs go on.

    Args:
        config: the composed config.
        full: whether to print the traceback of an error.

    Returns:
        What went wrong, for the list at a sweep's end; None when all went well.
    """
    try:
        with no_folder_if_refused(composition.output_folder()):
            composition.refuse_unexpanded_sweep()
            composition.refuse_launcher_of_one_run(config)
            folder, count = composition.output_folder(), devices_to_start(config)
            if count and not (is_finished(folder) and not config.redo):
                return run_on_devices(config, folder, count, folder / FAILED)
            complete(config, folder)
    except Exception as error:
        if current_world().size > 1 and ended_with_others(error):
            sys.exit(1)
        folder = composition.output_folder()
        if composition.in_multirun():
            print(f"FAILED {folder.name}: {in_one_line(error)}", file=sys.stderr)
            return in_one_line(error)
        print_error(error, full=full, kept=folder / FAILED)
        sys.exit(1)
    return None


def ended_with_others(error: Exception) -> bool:
    """Whether another process of the training ended; says so, unless the one that started all will."""
    from sr.devices.collectives import is_lost

    if is_lost(error) and not launched():
        print(
            "Error: another process of this training ended; the same command goes on from the last checkpoint",
            file=sys.stderr,
        )
    return is_lost(error)


def complete(config: DictConfig, folder: Path, *, waits: bool = False) -> None:
    """Complete the run that `config` describes, or tell that it is finished already.

    Args:
        config: the composed config.
        folder: of the run.
        waits: whether to wait while another process completes it; else that is refused.
    """
    refuse_links_out(folder)
    check_settings(config)
    with claim_when_free(folder, "run") if waits else claim(folder):
        remove_leftovers(folder)
        refuse_changes(folder, composition.plain(config))
        remove_results(folder, with_dependents(config.redo))
        if is_done(folder):
            print(f"{folder} is finished; nothing to do. Its table: python -m sr.report {folder.parent}")
            return
        (folder / FAILED).unlink(missing_ok=True)
        write_atomically(folder / OVERRIDES, yaml.safe_dump(composition.overrides()))
        try:
            from sr import experiment  # seconds of imports, which a stop ends at once

            with raising_stops():
                experiment.run(config, folder, pixel_run, composition.results_folder(folder))
        except BaseException as error:
            if number := stopped_by(error):
                sys.exit(128 + number)
            keep_traceback(error, folder / FAILED)
            raise


@contextmanager
def no_folder_if_refused(folder: Path) -> Iterator[None]:
    """Remove a run folder that a refused start made."""
    try:
        yield
    except Exception as error:
        if is_refusal(error):
            remove_unstarted(folder)
        raise


def is_done(folder: Path) -> bool:
    """Whether a run is finished and its results have their files; the report of one that lost some is removed."""
    if not is_finished(folder):
        return False
    if lost := lost_in(folder):
        listed = ", ".join(lost[:5]) + (" ..." if len(lost) > 5 else "")
        print(f"{folder} was finished, but {listed} was removed or changed: it is made again")
        (folder / "report.json").unlink()
    return not lost


def keep_traceback(error: BaseException, path: Path) -> None:
    """Write what went wrong beside the run, where the folder can be written."""
    content = {"error": in_one_line(error), "traceback": traceback.format_exc()}
    with suppress(OSError):  # a full or read-only disk is what failed, maybe
        write_json(path, content)


def pixel_run(config: DictConfig) -> Path:
    """Complete the pixel-loss run that a config with `init=pixel` starts from; returns its folder."""
    from sr.devices.followers import leader

    with composition.pixel_config(config) as (first, folder), no_folder_if_refused(folder), leader().keeping():
        print(f"first stage, with the pixel loss: {folder}")
        complete(first, folder, waits=True)
    return folder
