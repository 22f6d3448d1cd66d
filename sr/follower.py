"""What the other processes of a training on several devices do: follow process 0 (`sr.devices.followers`)."""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from sr import metrics
from sr.building import build, made, quiet, trainer_of
from sr.callbacks.datamodule import images_of
from sr.devices.accelerator import training_device
from sr.devices.collectives import is_lost
from sr.devices.elastic import CHECKPOINT_GRACE_S
from sr.devices.followers import Follower, crew, wait_until_left
from sr.devices.world import World, current_world
from sr.quantization.pipeline import quantize
from sr.runs.failures import in_one_line, is_refusal
from sr.stages.quantize import QUANTIZED_FOLDER, calibration_inputs, held_out_score
from sr.stages.training import trained_net


def follow_leader(arguments: Sequence[str]) -> int:
    """Train whenever process 0 calls; returns the exit status when it lets this process leave.

    Args:
        arguments: Of the command line, which process 0 reads.
    """
    world, follower = current_world(), crew()
    assert isinstance(follower, Follower)
    _obey_only_the_leader()
    quiet()
    warnings.simplefilter("ignore")  # process 0 warns of the same
    threading.Thread(target=_leave, args=[world], daemon=True).start()
    for call in follower.calls():
        try:
            {"train": join_training, "qat": join_tuning}[call["kind"]](call)
        except Exception as error:
            # What the training refuses, such as a loss that is not finite, is the same in process 0, which reports it.
            if is_lost(error) or (is_refusal(error) and not isinstance(error, OSError)):
                continue
            print(f"Error: device {world.rank}: {in_one_line(error)}", file=sys.stderr)
            return 1
    return 0


def join_training(call: dict[str, Any]) -> None:
    """Take part in the training of a run."""
    config, folder = _run_of(call)
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    task, data = build(config)
    trainer = trainer_of(config, folder, False, [])
    with crew().joined([task], kind="train"):
        trainer.fit(task, datamodule=data, ckpt_path=call["checkpoint"], weights_only=True)


def join_tuning(call: dict[str, Any]) -> None:
    """Take part in quantization-aware training, after the steps of the scheme that come before it."""
    config, folder = _run_of(call)
    data, scheme = made(config.data), made(config.quantization)
    data.prepare_data()
    net, images = trained_net(made(config.model), folder), images_of(data, folder)
    quantize(
        net=net,
        scheme=scheme,
        calibration=calibration_inputs(images, net, scheme.calibration_batches, scheme.calibration_batch_size),
        stream=images.stream,
        loss=made(config.loss),
        score=held_out_score(images, metrics.protocol(config.train.protocol), net),
        folder=folder / QUANTIZED_FOLDER,
        seed=config.seed,
        device=training_device(config.machine.accelerator),
        until=call["step"],
    )


def _run_of(call: dict[str, Any]) -> tuple[DictConfig, Path]:
    """Return config and folder of a run; classes that its command line names may be built."""
    hydra: Any = HydraConfig.instance()
    hydra.cfg = OmegaConf.create({"hydra": {"overrides": {"task": call["overrides"]}}})
    config = OmegaConf.create(call["config"])
    if config.machine.threads:
        torch.set_num_threads(config.machine.threads)
    return config, Path(call["folder"])


def _obey_only_the_leader() -> None:
    """Leave the last checkpoint to process 0 at Ctrl-C and SIGTERM: end with it, or a while after the signal."""

    def end_later(*_: Any) -> None:
        timer = threading.Timer(CHECKPOINT_GRACE_S, os._exit, [128 + signal.SIGTERM])
        timer.daemon = True
        timer.start()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, end_later)


def _leave(world: World) -> None:
    """End this process when process 0 lets it leave, even in the middle of an exchange that will not end."""
    wait_until_left(world)
    os._exit(0)
