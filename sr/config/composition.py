"""Hydra: interpolations, the folder of a run, and the pixel-loss run that adversarial training starts from."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException

from sr.config.checks import count, names, number
from sr.runs.folders import ROOT, data_root, outputs_root, run_name
from sr.runs.names import check_name
from sr.runs.results import INDEX


def scaled(iterations: float, budget: float) -> int:
    """Shorten a recipe's iterations in proportion to the budget, to at least one; zero stays zero.

    Raises:
        ValueError: fewer iterations than none, or no budget.

    >>> scaled(200_000, 0.01)
    2000
    """
    number("train.iterations", iterations, least=0)
    number("train.budget", budget, above=0)
    return max(1, round(iterations * budget)) if iterations else 0


def iterations_of(epochs: float, images: int, crops_per_image: int, batch_size: int) -> int:
    """Convert a recipe's epochs to iterations, given the size of its data set.

    Raises:
        ValueError: a data set or a batch of nothing.

    >>> iterations_of(1000, 800, 20, 16)  # ABPN: 1000 epochs over 20 repeats of DIV2K's 800 images, batch 16
    1000000
    """
    count("train.epoch_images", images)
    count("data.batch_size", batch_size)
    return max(1, round(epochs * images * crops_per_image / batch_size))


def whole_chunks(iterations: int, chunk: int) -> int:
    """Return the number of chunks between two validations.

    Raises:
        ValueError: nothing, or not a whole number of chunks.

    >>> whole_chunks(1000, 10)
    100
    """
    if count("train.validate_every", iterations) % count("train.chunk", chunk):
        raise ValueError(f"train.validate_every={iterations} is not a multiple of train.chunk={chunk}; change either")
    return iterations // chunk


def at_least_one(iterations: int) -> int:
    """Return the length of a schedule: one where nothing is trained.

    >>> at_least_one(0)
    1
    """
    return max(1, iterations)


def fp32_from(iterations: int, tail: float) -> int:
    """Return the iteration at which the fp32 tail begins; the tail is a share of all iterations.

    >>> fp32_from(1000, 0.15)
    850
    """
    if number("train.fp32_tail", tail, least=0) > 1:
        raise ValueError(f"train.fp32_tail is a share of the iterations in [0, 1], got {tail}")
    return round(iterations * (1 - tail))


def kept_weights(keep: str, iterations: int, validate_every: int) -> str:
    """Return which weights a training keeps, "last" or "best".

    Raises:
        ValueError: the best weights of a training without a validation.

    >>> kept_weights("best", 1000, 500)
    'best'
    """
    if keep == "best" and 0 < iterations < count("train.validate_every", validate_every):
        raise ValueError(
            f"train.keep=best needs a validation, but train.validate_every={validate_every} is more than the "
            f"{iterations} iterations; lower train.validate_every"
        )
    return keep


def hr_side(lr_patch: int, scale: float) -> int:
    """Return the side of a training patch in HR pixels.

    Raises:
        ValueError: a patch of nothing.

    >>> hr_side(32, 4)
    128
    """
    return round(count("data.lr_patch", lr_patch) * scale)


def register_resolvers() -> None:
    """Register the project's own interpolations with OmegaConf; a second call changes nothing."""
    resolvers: dict[str, Callable[..., Any]] = {
        "sr_root": lambda: str(ROOT),
        "sr_outputs": lambda: str(outputs_root()),
        "sr_data": lambda: str(data_root()),
        "sr_run_name": lambda overrides: run_name(list(overrides)),
        "sr_experiment": partial(check_name, "experiment"),
        "sr_folder_name": lambda folder: Path(folder).name,
        "scaled": scaled,
        "iterations_of": iterations_of,
        "whole_chunks": whole_chunks,
        "at_least_one": at_least_one,
        "fp32_from": fp32_from,
        "kept_weights": kept_weights,
        "hr_side": hr_side,
    }
    for name, resolver in resolvers.items():
        OmegaConf.register_new_resolver(name, resolver, replace=True)


def plain(config: DictConfig) -> dict[str, Any]:
    """Return the composed config as plain containers with every interpolation resolved.

    Raises:
        ValueError: one of our own interpolations refused a value; the message is its own.
    """
    try:
        return cast(dict[str, Any], OmegaConf.to_container(config, resolve=True, throw_on_missing=True))
    except OmegaConfBaseException as error:
        raise cause_of(error) from None


def cause_of(error: OmegaConfBaseException) -> ValueError:
    """Return the error of one of our own interpolations, or OmegaConf's message in one line."""
    refused: BaseException | None = error
    while isinstance(refused, InterpolationResolutionError):  # OmegaConf wraps twice
        refused = refused.__context__
    if isinstance(refused, ValueError) and not isinstance(refused, OmegaConfBaseException):
        return refused
    return ValueError(f"{error.full_key or 'the config'} has no value: {str(error).splitlines()[0]}")


def output_folder() -> Path:
    """Return the folder of Hydra's current run."""
    return Path(HydraConfig.get().runtime.output_dir)


def overrides() -> list[str]:
    """Return the overrides of Hydra's current run."""
    return list(HydraConfig.get().overrides.task)


def results_folder(folder: Path) -> Path:
    """Return the folder of the index of results: one for all experiments of an outputs folder, else beside the run.

    Args:
        folder: of a run.
    """
    outputs = Path(HydraConfig.get().sweep.dir)
    return (outputs if outputs in folder.parents else folder.parent) / INDEX


def in_multirun() -> bool:
    """Return whether this job is one of a sweep."""
    return HydraConfig.get().mode is RunMode.MULTIRUN


def pixel_overrides(own: Sequence[str], differing: Sequence[str]) -> list[str]:
    """Return the overrides of the pixel-loss run before an adversarial one: the same without task and start.

    Args:
        own: the adversarial run's overrides.
        differing: overrides that win over those, `pixel` of the config.

    >>> pixel_overrides(["model=rrdbnet", "task=gan", "seed=1", "task/discriminator=unet", "init=pixel"], ["seed=0"])
    ['model=rrdbnet', 'seed=0']
    """
    replaced = {_key(item) for item in names("pixel", differing)}
    own_only = re.compile(r"(task|init|init_leave|blend|alpha|pixel)$|task[./]")
    return [*(item for item in own if _key(item) not in replaced and not own_only.match(_key(item))), *differing]


def _key(override: str) -> str:
    """Return the key of `+key@package=value`."""
    return re.split("[=@]", override.lstrip("+~"))[0]


@contextmanager
def pixel_config(config: DictConfig) -> Iterator[tuple[DictConfig, Path]]:
    """Compose the pixel-loss run that `init=pixel` starts from; inside, Hydra's own values are that run's.

    Returns:
        Its config and its folder, beside this run's.
    """
    ours: Any = HydraConfig.instance().cfg
    overrides = pixel_overrides(ours.hydra.overrides.task, config.pixel)
    composed = compose("config", overrides, return_hydra_config=True)
    if composed.init == "pixel":  # the task comes from a recipe or a sweep
        overrides = [*overrides, "task=regression"]
        composed = compose("config", overrides, return_hydra_config=True)
    folder = output_folder().parent / run_name(overrides)
    with open_dict(composed):
        composed.hydra.runtime.output_dir = str(folder)
    HydraConfig.instance().set_config(composed)
    try:
        with open_dict(composed):
            del composed["hydra"]
        yield composed, folder
    finally:
        HydraConfig.instance().cfg = ours


def refuse_unexpanded_sweep() -> None:
    """Stop a job that carries a sweep's parameters without having one value of each.

    `--multirun sweeps=a,b` and `hydra.mode=RUN` would otherwise run one job per sweep, in silence.

    Raises:
        ValueError: a parameter of the sweep is not among this job's overrides.
    """
    config = HydraConfig.get()
    wanted = (config.sweeper.get("params") or {}).keys()
    if missing := sorted(set(wanted) - {item.split("=", 1)[0].lstrip("+") for item in config.overrides.task}):
        raise ValueError(
            f"this sweep was not expanded: {', '.join(missing)} got no value. Run one sweep at a time, as "
            "`python -m sr.run sweeps=NAME`, without hydra.mode=RUN"
        )


def refuse_launcher_of_one_run(config: DictConfig) -> None:
    """Refuse a launcher outside a sweep, where Hydra would run the job here, in silence.

    Raises:
        ValueError: with the command that is meant.
    """
    if (kind := OmegaConf.select(config, "launcher.kind") or "basic") != "basic" and not in_multirun():
        raise ValueError(f"launcher={kind} starts the jobs of a sweep; write -m in front, for a single job as well")
