"""Build objects from the composed config: the one place, beside `experiment`, that knows the configuration."""

import logging
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins.environments import LightningEnvironment
from omegaconf import DictConfig, OmegaConf, open_dict

from sr import pruning
from sr.config import targets
from sr.config.composition import plain
from sr.config.own_targets import named_targets
from sr.devices.accelerator import one_device, requested_devices
from sr.devices.world import current_world
from sr.export.graph.shape import lr_size
from sr.models.blocks import inference_form
from sr.models.fingerprint import fingerprint
from sr.models.net import Net
from sr.models.weights import CHECKPOINT, blended, load_weights, read_weights
from sr.optimizers.schedule import refuse_unusable
from sr.pretrained import weights_path
from sr.report.provenance import maker
from sr.runs.files import read_json, write_json
from sr.runs.ownership import settings_of
from sr.runs.results import INDEX, ResultIndex, lost_files, result_key, write_result
from sr.stages.tracking import wandb_id, without_notice

PIXEL = "pixel"
"""The word for `init` that stands for the run of the same settings with the pixel loss."""


def made(node: DictConfig | None) -> Any:
    """Build what a node of the composed config describes, of the classes in `sr.config.targets` and the command line's.

    Raises:
        ValueError: a class that is on no list, or a setting that a constructor refused, with its message.
    """
    return targets.build_node(None if node is None else plain(node), own=named_targets())


def build(config: DictConfig) -> tuple[Any, Any]:
    """Make the task and the data of a config, with the weights that it starts from.

    Raises:
        ValueError: a setting that a part cannot do, or `init` weights that do not fit.
    """
    for key, value in config.optimizer.items():
        if isinstance(value, str) and key != "_target_":
            raise ValueError(f"optimizer.{key} is a number, got {value!r}")
    for key in ("scheduler", "task.discriminator_scheduler"):
        if config.trainer.max_steps and (node := OmegaConf.select(config, key)):
            refuse_unusable(key, made(node), plain(node))
    parts = {name: made(config[name]) for name in ("loss", "optimizer", "scheduler")}
    data = made(config.data)
    torch.manual_seed(config.seed)
    net = made(config.model)
    if not isinstance(net, Net):
        raise ValueError(
            f"model._target_={config.model._target_} is no net that is trained here; derive the class from "
            "sr.models.net.Net (docs/own_net.md), or train it elsewhere and give it to `sr export`"
        )
    lr_size(config.size, scale=config.scale, multiple=net.size_multiple)  # refused now, not after the training
    _check_patch(config.data.lr_patch, net)
    if config.init and config.init != PIXEL:
        load_init(config, [net], config.init)
    return made(config.task)(net=net, **parts), data


def _check_patch(lr_patch: int, net: Any) -> None:
    if lr_patch < net.min_size:
        raise ValueError(f"data.lr_patch={lr_patch}: this net takes no images below {net.min_size} pixels")
    if rest := lr_patch % net.size_multiple:
        raise ValueError(
            f"data.lr_patch={lr_patch}: the sides of the images of this net are multiples of {net.size_multiple}; set "
            f"data.lr_patch={lr_patch + net.size_multiple - rest}"
        )


def load_init(config: DictConfig, nets: list[Any], source: str) -> None:
    """Give nets the weights of `source`, blended with those of `config.blend` where that is set."""
    state = read_weights(weights_path(source, config.scale))
    if config.blend:
        other = read_weights(weights_path(config.blend, config.scale))
        state, source = blended(state, other, config.alpha), f"{source} and {config.blend}"
    for net in nets:
        load_weights(net, state, source=source, leave=list(config.init_leave))


def narrowed(config: DictConfig, folder: Path, index: ResultIndex | None = None) -> DictConfig:
    """Return the config with the net that filter pruning leaves, if asked for, as `model` and `init`.

    Args:
        config: the composed config.
        folder: of the run, in which the net is pruned once.
        index: of results of other runs, which are taken.

    Raises:
        ValueError: no trained net to start from, or one that cannot be pruned.
    """
    if not config.get("filters"):
        return config
    if not config.init or config.init == PIXEL:
        raise ValueError("filters= prunes a trained net; give init=<run folder or weights> of this model")
    found, model = folder / pruning.FILE, plain(config)["model"]
    if not found.is_file() or lost_files(folder, read_json(found), hashes=True):
        filters = made(config.filters)
        if isinstance(filters, pruning.Given):
            write_json(found, pruning.given(filters, model))
        else:
            _prune(config, filters, model, folder, index or ResultIndex(folder=folder.parent / INDEX))
    outcome, config = read_json(found), config.copy()
    targets.refuse_foreign(outcome["model"], source=str(found), own=named_targets())
    with open_dict(config):
        config.model = pruning.narrowed_model(model, outcome["removed"], outcome["widths"])
        if outcome["weights"]:  # which hold what `init`, `init_leave` and `blend` made
            config.init, config.init_leave, config.blend = str(folder / pruning.WEIGHTS), [], None
    return config


def _prune(config: DictConfig, filters: Any, model: dict[str, Any], folder: Path, index: ResultIndex) -> None:
    """Prune the net of `init`, or take the result of a run that pruned it in the same way."""
    torch.manual_seed(config.seed)
    net, data = made(config.model), made(config.data)
    load_init(config, [net], config.init)
    net = inference_form(net)
    data.prepare_data()
    data.setup("fit")
    inputs = {"net": fingerprint(net), "images": data.fingerprint()}
    key = result_key("prune", 1, settings_of("prune", plain(config)), inputs)
    if source := index.take("prune", key, folder, pruning.FILE):
        print(f"prune: the result of {source} is taken")
        return
    start = {"model": model, "source": config.init, "batches": data.stream(0), "loss": made(config.loss)}
    outcome = pruning.prune(filters, net=net, folder=folder, **start)
    signed = {"stage": "prune", "key": key, "made_by": maker()}
    write_result(folder, pruning.FILE, outcome | signed, [pruning.WEIGHTS])
    index.add(folder, pruning.FILE)


def resume_from(config: DictConfig, folder: Path) -> str | None:
    """The checkpoint to go on from, None at a fresh start.

    Raises:
        ValueError: a started run with `ckpt=none`, or a checkpoint that cannot be read.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    if config.ckpt == "none":
        raise ValueError(
            f"{folder} has a checkpoint already and ckpt=none; remove the folder, or use ckpt=last to go on"
        )
    try:
        read_weights(path)  # a damaged file is named here, in one line
    except ValueError as error:
        what = str(error).rpartition("; ")[0] or str(error)
        raise ValueError(
            f"{what}; it is this run's own checkpoint: put a whole copy of it back, or remove it, and the same command "
            "trains from the start"
        ) from error
    return str(path)


def check_devices(config: DictConfig) -> int:
    """Return the number of devices to train on.

    Raises:
        ValueError: torchrun or srun started another number, this machine has fewer, or the batch does not divide.
    """
    if config.trainer.devices not in (1, "1"):
        raise ValueError(
            f"trainer.devices={config.trainer.devices}: Lightning gets one device in each process; "
            f"machine.devices={config.trainer.devices} trains on several"
        )
    shared = {"batch_size": config.data.batch_size, "accelerator": config.machine.accelerator}
    return requested_devices(config.machine.devices, **shared, world=current_world())


def trainer_of(
    config: DictConfig, folder: Path, logger: Any, callbacks: Iterable[Callback], **settings: Any
) -> lightning.Trainer:
    """Make the trainer of a config.

    Args:
        config: the composed config.
        folder: the run's.
        logger: made of the config.
        callbacks: in the order in which they are asked.
        settings: of Lightning's Trainer; they win over the config's.

    Raises:
        ValueError: a setting that the trainer cannot do.
    """
    check_devices(config)
    # Each process trains with a Lightning of its own, on one device: `sr.devices` exchanges the gradients. Of itself
    # Lightning would take the tasks of a SLURM job for devices, and refuse a job of several.
    settings = {"plugins": [LightningEnvironment()], **one_device(config.trainer.accelerator), **settings}
    settings = {"default_root_dir": str(folder), "logger": logger, "callbacks": list(callbacks)} | settings
    return made(config.trainer)(**settings)


def logger_of(config: DictConfig, folder: Path) -> Any:
    """Make the logger of a run; one of W&B goes on in the run that the first start drew."""
    if not config.logger:
        return False
    node = config.logger.copy()
    if "id" in node and node.id is None:
        with open_dict(node):
            node.id = wandb_id(folder)
    return without_notice(made(node))


def quiet() -> None:
    """Keep Lightning's advice and other libraries' deprecations off the screen; errors and our own words stay."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    logging.getLogger("lightning.fabric").setLevel(logging.ERROR)
    logging.getLogger("onnx_ir").setLevel(logging.ERROR)
    advice = ("many workers", "LeafSpec", "isinstance.*treespec", "in eval mode at the start", "sync_dist=True", "srun")
    for text in advice:
        warnings.filterwarnings("ignore", message=f".*{text}.*")


def compose(overrides: list[str], *, with_hydra: bool = False) -> Any:
    """Compose a config as the command line would, for tests and benchmarks; `with_hydra` keeps Hydra's own node."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir

    from sr.config.composition import register_resolvers
    from sr.runs.folders import ROOT

    register_resolvers()
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return hydra_compose("config", overrides=overrides, return_hydra_config=with_hydra)
