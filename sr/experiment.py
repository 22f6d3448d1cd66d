"""Run an experiment: prepare, train, then the stages. The composition root beside `building`."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from omegaconf import DictConfig
from rich.console import Console

from sr.building import (
    PIXEL,
    build,
    check_devices,
    compose,
    load_init,
    logger_of,
    made,
    narrowed,
    quiet,
    resume_from,
    trainer_of,
)
from sr.callbacks.datamodule import described_images, images_hash, images_of
from sr.config.checks import count, names
from sr.config.composition import plain
from sr.config.redo import with_dependents
from sr.data.module import ImageData
from sr.devices.starting import led
from sr.models.blocks import inference_form
from sr.models.standardization import FIRST, standardize_pixels
from sr.models.weights import CHECKPOINT, is_left
from sr.report.record import Report, write_report
from sr.report.render import print_tables
from sr.report.runs import read_run
from sr.report.table import quality_tables
from sr.runs.identity import check_data, lock_config
from sr.runs.parts import NO_PARTS, Parts
from sr.runs.results import INDEX, ResultIndex
from sr.runs.signals import raise_if_stopped
from sr.runs.training_lock import training_lock
from sr.stages.plan import complete_all, stages_in_order
from sr.stages.quantize import trains
from sr.stages.stage import Job, check_stages, has_weights
from sr.stages.starts import last_training_key, note_start
from sr.stages.tracking import check_tracking, end_run, log_report
from sr.stages.training import TRAINED_RESULT, is_trained, trained_net, training_key, write_trained, write_untrained
from sr.tasks.regression import Regression

__all__ = ["CHECKPOINT", "build", "compose", "made", "narrowed", "quiet", "run", "trainer_of"]
PixelRun = Callable[[DictConfig], Path]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A run that nothing has been found against.

    Attributes:
        config: with the net that filter pruning left.
        locked: as it was composed, plain containers.
        task: what is to be trained; None where the training is finished.
        data: its images.
        callbacks: of the training.
        stages: after it, by name; None where one is switched off.
        job: what the stages work on.
    """

    config: DictConfig
    locked: dict[str, Any]
    task: Regression | None
    data: ImageData
    callbacks: dict[str, Callback]
    stages: dict[str, Any]
    job: Job


def run(config: DictConfig, folder: Path, pixel_run: PixelRun, results: Path | None = None) -> None:
    """Train, then quantize, export, prove and report, as the config's callbacks say; go on where the run stopped.

    Args:
        config: the composed config.
        folder: the run's.
        pixel_run: completes the run that a config with `init=pixel` starts from, and gives its folder.
        results: folder of the index of finished stages; by default beside the run.

    Raises:
        ValueError: a setting that a part cannot do, or weights to start from that do not fit.
    """
    quiet()
    check_words(config)
    redo = with_dependents(config.redo)
    index = ResultIndex(folder=results or folder.parent / INDEX, reuse=config.reuse == "always")
    ready = prepare(config, folder, index)
    logger = logger_of(ready.config, folder)
    try:
        if ready.task is not None:
            train(ready, logger, index if "train" not in redo else replace(index, reuse=False), pixel_run)
        led(ready.job.folder, ready.job.config).release(unless=trains(ready.job.scheme))
        parts = Parts(index.folder / "parts") if index.reuse and "export" not in redo else NO_PARTS
        job = replace(ready.job, net=trained_net(made(ready.config.model), folder), parts=parts)
        done, skipped = complete_all(stages_in_order(ready.stages), job, index, redo)
        if ready.stages.get("report"):
            finish(ready.stages["report"].gather(folder, done, skipped), folder, logger)
    finally:
        end_run(logger)


def check_words(config: DictConfig) -> None:
    """Raise ValueError for settings of the run itself that mean nothing."""
    if config.blend and not config.init:
        raise ValueError("blend= needs init=: the net starts from (1 - alpha) of init's weights and alpha of blend's")
    count("seed", config.seed, least=0, most=2**32 - 1)  # what numpy takes
    names("init_leave", config.init_leave)
    check_devices(config)
    check_tracking(config.logger)
    if config.reuse not in ("always", "never"):
        raise ValueError(f"reuse is `always` or `never`, got {config.reuse!r}")


def prepare(config: DictConfig, folder: Path, index: ResultIndex) -> Prepared:
    """Build what a run needs, and ask everything that could be refused after the training.

    Raises:
        ValueError: from a part, or from the check of a stage.
    """
    if config.ckpt not in ("last", "none"):
        raise ValueError(f"ckpt is `last` or `none`, got {config.ckpt!r}; other weights to start from are `init=`")
    if config.machine.threads is not None:
        torch.set_num_threads(count("machine.threads", config.machine.threads))
    locked = plain(config)
    original, config = config, narrowed(config, folder, index)
    task: Regression | None = None
    if is_trained(folder):
        data, net = made(config.data), trained_net(made(config.model), folder)
    else:
        resume_from(config, folder)
        lightning.seed_everything(config.seed, workers=True, verbose=False)
        task, data = build(config)
        net = task.deployable()
    with torch.random.fork_rng(devices=[]):
        parts = made(config.callbacks)
        job = Job(
            folder=folder,
            config=plain(config),
            net=net,
            loss=made(config.loss),
            scheme=made(config.quantization),
            target=made(config.export),
            images=images_of(data, folder),
            unpruned=inference_form(made(original.model)).eval() if config.get("filters") else None,
        )
    callbacks = {name: each for name, each in parts.items() if isinstance(each, Callback)}
    stages = {name: each for name, each in parts.items() if name not in callbacks}
    check_stages(stages_in_order(stages), stages, job)
    if task is not None:
        check_callbacks(config, task, callbacks)
        check_images(config, data, job, calibrated=bool(stages.get("quantize")) and not job.scheme.is_unchanged)
    return Prepared(config=config, locked=locked, task=task, data=data, callbacks=callbacks, stages=stages, job=job)


def check_callbacks(config: DictConfig, task: Regression, callbacks: Mapping[str, Any]) -> None:
    """Raise ValueError if a training lacks a callback that it cannot do without."""
    missing = [name for name in ("checkpoint", "throughput") if name not in callbacks]
    if missing and has_weights(task) and config.trainer.max_steps:
        raise ValueError(f"callbacks.{missing[0]}=null: a training needs it, to resume and to report; leave it on")


def check_images(config: DictConfig, data: ImageData, job: Job, *, calibrated: bool) -> None:
    """Raise ValueError before training if test images cannot be scored, or are learned from."""
    data.prepare_data()
    data.setup("fit")
    learned = has_weights(job.net) and bool(config.trainer.max_steps or calibrated)
    check_size = partial(job.protocol.check_size, scale=config.scale)
    data.check(check_size=check_size, min_lr=job.net.min_size, learned=learned)


def train(ready: Prepared, logger: Any, index: ResultIndex, pixel_run: PixelRun) -> None:
    """Train, or take the training of another run that has the same key.

    Args:
        ready: what is trained, on what.
        logger: of the curves.
        index: of finished stages.
        pixel_run: see `run`.
    """
    config, folder, task, data = ready.config, ready.job.folder, ready.task, ready.data
    assert task is not None
    checkpoint = resume_from(config, folder)
    nets = list(dict.fromkeys([task.net, task.trained_net()]))
    if config.init == PIXEL and not checkpoint:
        pixels = pixel_run(config)
        lightning.seed_everything(config.seed, workers=True, verbose=False)
        load_init(config, nets, str(pixels))
    images = described_images(data)
    if not config.init or is_left(FIRST, config.init_leave):  # else the weights brought their own
        for net in nets:
            standardize_pixels(net, images["lr_mean"], images["lr_std"])
    lock_config(folder, ready.locked)
    check_data(folder, images)
    # What `init` names may have changed since the first start; a run from before there were keys shares nothing.
    known = (last_training_key(folder) or uuid.uuid4().hex) if checkpoint else None
    key = known or training_key(task, ready.job.config, images_hash(images))
    note_start(folder, key)
    with training_lock(index.folder / f"train-{key}", folder):
        if source := index.take("train", key, folder, TRAINED_RESULT):
            print(f"train: nothing is trained, the net of {source} is taken")
            return
        fit(ready, logger, checkpoint)
        write_trained(task, folder, key)
        index.add(folder, TRAINED_RESULT)


def fit(ready: Prepared, logger: Any, checkpoint: str | None) -> None:
    """Fit a task from its start or from a checkpoint to the end.

    Raises:
        ValueError: a setting of the trainer ended it early.
        SystemExit: SIGTERM did.
    """
    config, folder, task = ready.config, ready.job.folder, ready.task
    assert task is not None
    if not has_weights(task) or config.trainer.max_steps == 0:
        if checkpoint:
            task.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"])
        write_untrained(task, folder)
        return
    trainer = trainer_of(config, folder, logger, ready.callbacks.values())
    with led(ready.job.folder, ready.job.config).joined([task], kind="train", checkpoint=checkpoint):
        trainer.fit(task, datamodule=ready.data, ckpt_path=checkpoint, weights_only=True)
    raise_if_stopped()
    if trainer.global_step < trainer.max_steps:
        raise ValueError(
            f"the training stopped at iteration {trainer.global_step} of {trainer.max_steps}, by a setting of "
            "`trainer`; the same command without that setting goes on"
        )


def finish(report: Report, folder: Path, logger: Any) -> None:
    """Log a report, write it, last of all files, and print its table."""
    if logger:
        log_report(logger, report, folder, report.training["iterations"])
    write_report(report, folder)
    print_tables(quality_tables([read_run(folder)]), "text", Console())
