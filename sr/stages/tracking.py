"""What a finished run hands to its logger: settings, numbers, and to W&B also tables and the model as an artifact."""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger, WandbLogger

from sr.data.image import opened
from sr.report.record import Report
from sr.report.summary import certificate, flat_numbers
from sr.runs.files import read_json, write_json
from sr.runs.identity import has_config, read_config
from sr.runs.results import results_in
from sr.runs.wandb_account import refuse_without_login

MODEL_FILES = ("float/weights.safetensors", "checkpoints/last.ckpt", "config.yaml", "export/*.onnx", "export/*.json")
WANDB_ID = "wandb_id.json"
EXPORTED = ("export/aimet/*", "export/hexagon/*.bin", "export/hexagon/*.dlc")


def log_report(logger: Any, report: Report, folder: Path, step: int) -> None:
    """Log a run's settings and numbers; W&B also gets its tables and files.

    A kill between this and the report makes the next start log again, into the same W&B run.

    Args:
        logger: one of Lightning's.
        report: of the run.
        folder: the run folder.
        step: iterations that were trained.
    """
    logger.log_hyperparams(report.config | ({"training_reused_from": source} if (source := _reused(report)) else {}))
    logger.log_metrics(flat_numbers(report), step=step)
    log_pictures(logger, folder, step)
    logger.save()
    if not isinstance(logger, WandbLogger):
        return
    rows = [list(row) for row in flat_numbers(report).items()]
    logger.log_table("quality", columns=["stage/set/measure", "value"], data=rows)
    if proof := certificate(report):
        columns = list(dict.fromkeys(key for row in proof for key in row))
        logger.log_table("certificate", columns=columns, data=[[row.get(key) for key in columns] for row in proof])
    log_model(logger.experiment, report, folder)


def log_picture(loggers: Iterable[Any], name: str, picture: Any, step: int) -> None:
    """Hand a picture (H, W, 3) uint8 to every logger that takes images (W&B, TensorBoard)."""
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            logger.log_image(name, [picture], step=step)
        elif isinstance(logger, TensorBoardLogger):
            logger.experiment.add_image(name, picture, step, dataformats="HWC")


def log_pictures(logger: Any, folder: Path, step: int) -> None:
    """Log the pictures that the stages of a run name in their results."""
    for _, content in results_in(folder):
        for name, file in content.get("pictures", {}).items():
            with opened(folder / file) as picture:
                log_picture([logger], name, np.asarray(picture), step)


def _reused(report: Report) -> str | None:
    return report.made_by.get("train", {}).get("reused_from")


def wandb_id(folder: Path) -> str:
    """Return the id of a run at W&B: drawn at the first start, and kept in the run folder.

    A run that was started when ids followed from folders keeps the id that its config has.
    """
    path = folder / WANDB_ID
    if not path.is_file():
        logger = read_config(folder).get("logger") if has_config(folder) else None
        write_json(path, {"id": (logger or {}).get("id") or uuid.uuid4().hex[:12]})
    return str(read_json(path)["id"])


def check_tracking(settings: Mapping[str, Any] | None) -> None:
    """Raise ValueError before any work if a logger that sends to W&B has no login there.

    Args:
        settings: of the logger, as in conf/logger; None for no logger.
    """
    if settings and settings.get("mode") == "online" and str(settings["_target_"]).endswith(".WandbLogger"):
        refuse_without_login(otherwise="take logger.mode=offline, and send the run later with `wandb sync`")


def without_notice(logger: Any) -> Any:
    """Return a logger, without the setting of Lightning's WandbLogger for which W&B prints a deprecation."""
    if isinstance(logger, WandbLogger):
        logger._wandb_init.pop("anonymous", None)
    return logger


def end_run(logger: Any) -> None:
    """Close a logger's W&B run: the next one in this process would write into it, a sweep's job or a second stage."""
    # `logger.experiment` would start a run where training ended before the first log.
    if isinstance(logger, WandbLogger) and logger._experiment is not None:
        logger._experiment.finish()


def log_model(run: Any, report: Report, folder: Path) -> None:
    """Log a run's weights, checkpoint and exported files as one artifact of type `model`.

    Its aliases are `latest` (which W&B sets), `finished`, the name of the quantization scheme, and the scale.
    """
    import wandb

    scheme = str((report.config.get("quantization") or {}).get("name", "fp32"))
    artifact = wandb.Artifact(
        artifact_name(report),
        type="model",
        metadata={
            "experiment": report.experiment,
            "run": report.run,
            "scores": flat_numbers(report),
            "git": report.git,
        },
    )
    for path in model_files(folder):
        artifact.add_file(str(path), name=path.relative_to(folder).as_posix())
    run.log_artifact(artifact, aliases=["finished", scheme, f"x{report.scale:g}"])


def artifact_name(report: Report) -> str:
    """What W&B allows for a name: at most 128 letters, digits, `-`, `_` and `.`.

    The end of a long name is kept: there stands the hash that tells it apart.
    """
    return re.sub(r"[^A-Za-z0-9_.-]", "_", f"{report.experiment}-{report.run}")[-128:]


def model_files(folder: Path) -> Iterator[Path]:
    """The files that a model can be used and trained further from."""
    for pattern in (*MODEL_FILES, *EXPORTED):
        yield from (path for path in sorted(folder.glob(pattern)) if path.is_file())
