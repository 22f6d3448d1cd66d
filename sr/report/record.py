"""The report of one run: `report.json`, written last and atomically, so that its existence means "finished"."""

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from sr.report.record_shape import PSNR_KEY, REPORT_KINDS, SSIM_KEY
from sr.runs.files import write_atomically
from sr.runs.identity import identity

REPORT_NAME = "report.json"
SCHEMA_VERSION = 1
SCORED_STAGES = ("bicubic", "float", "simulated", "onnxruntime", "openvino", "litert", "ncnn", "htp_v69", "htp_v73")
"""What is scored, in the order of a net's way to the phone."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Results and provenance of a finished run, in plain containers.

    Attributes:
        experiment: Folder name above the run's.
        run: Folder name of the run.
        config: The composed config of the run.
        protocol: Name of the evaluation protocol.
        git: {"commit", "dirty"} of the code.
        versions: {package: version}.
        data: {"fingerprint", "train_sources" (names), "num_images" (training images), ...}.
        training: {"iterations", "seconds", "iterations_per_second", "loader_wait_share", "precision", "budget", ...}.
        quality: {stage: {set: {"psnr_y_db", "ssim_y", "num_images", "protocol"}}}; the stages are `SCORED_STAGES`,
            each only where the run has it; another channel has its own names (`psnr_rgb_db`). Where they were asked
            for also "niqe", "rmse", "border_ratio", "lpips", "dists", "pi", of clips "flicker", and "hr_niqe" (of the
            true images).
        cost: {"parameters", "macs_g", "activation_kib", "receptive_field_px", "latency_torch_cpu", ...}.
        export: {"certificate", "estimates", "files", ...}; empty where nothing was exported.
        stage_seconds: {stage: wall time in seconds}.
        made_by: {"starts": [of the training], stage: {"commit", "dirty", "versions", "machine", "time"}}; a stage
            whose result was taken from another run also has "reused_from".
        skipped: {stage: why there was nothing to do}.
        status: "finished"; a run without this file is unfinished or failed.
        schema_version: Number of this layout.
    """

    experiment: str
    run: str
    config: dict[str, Any]
    protocol: str
    git: dict[str, Any]
    versions: dict[str, str]
    data: dict[str, Any]
    training: dict[str, Any]
    quality: dict[str, dict[str, dict[str, Any]]]
    cost: dict[str, Any]
    export: dict[str, Any]
    stage_seconds: dict[str, float]
    made_by: dict[str, Any] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    status: str = "finished"
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        """Refuse values that readers of reports cannot take.

        Raises:
            ValueError: A value is of another kind; the message names its key.
        """
        for name, kind in REPORT_KINDS.items():
            kind.check(name, getattr(self, name))

    @functools.cached_property
    def group(self) -> str:
        """What runs must share to be one row: the experiment and all settings of the net but the seed."""
        return json.dumps([self.experiment, _without_seed(identity(self.config))], sort_keys=True)

    @property
    def scale(self) -> float:
        """Return the upscaling factor of the run's net."""
        return float(self.config["scale"])


def _without_seed(value: Any) -> Any:
    """Drop every `seed` from nested plain containers."""
    if isinstance(value, Mapping):
        return {str(key): _without_seed(item) for key, item in value.items() if key != "seed"}
    return [_without_seed(item) for item in value] if isinstance(value, (list, tuple)) else value


def psnr_key(score: Mapping[str, Any]) -> str | None:
    """Return the key of the PSNR in a set's score, such as "psnr_y_db"; None if there is none.

    >>> psnr_key({"num_images": 5, "psnr_y_db": 37.1})
    'psnr_y_db'
    """
    return next((key for key in score if PSNR_KEY.fullmatch(key)), None)


def ssim_key(score: Mapping[str, Any]) -> str | None:
    """Return the key of the SSIM in a set's score, such as "ssim_y"; None if there is none."""
    return next((key for key in score if SSIM_KEY.fullmatch(key)), None)


def write_report(report: Report, folder: Path) -> Path:
    """Write `report.json` into a run folder, atomically.

    Numbers that JSON lacks are written as the strings "inf", "-inf" and "nan" (two equal images have an infinite PSNR);
    `float()` reads them back.

    Args:
        report: The report.
        folder: The run folder.

    Returns:
        The file.

    Raises:
        ValueError: if the report holds something that is not a plain value; the message names its key.
    """
    path = folder / REPORT_NAME
    content = {field.name: plain_values(getattr(report, field.name), field.name) for field in fields(report)}
    write_atomically(path, json.dumps(content, indent=2, allow_nan=False) + "\n")
    return path


def is_finished(folder: Path) -> bool:
    """Return whether a run has a readable report; an empty or torn one does not count."""
    try:
        read_report(folder / REPORT_NAME)
    except (ValueError, OSError):
        return False
    return True


def read_report(path: Path) -> Report:
    """Read a `report.json`.

    Raises:
        ValueError: if the file is no report of this layout; the message names the file and what is wrong with it.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON ({error}); the command that started the run writes it again") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not a report: it holds a {type(content).__name__}")
    version = content.get("schema_version")
    if version != SCHEMA_VERSION:
        raise ValueError(f"{path} has schema_version {version!r}, this code reads {SCHEMA_VERSION}")
    names = {each.name for each in fields(Report)}
    needed = {each.name for each in fields(Report) if each.default_factory is MISSING}
    missing, unknown = sorted(needed - content.keys()), sorted(content.keys() - names)
    if missing or unknown:
        raise ValueError(f"{path} is not a report of this layout: missing {missing}, unknown {unknown}")
    try:
        return Report(**content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def plain_values(value: Any, path: str) -> Any:
    """Turn a value into what JSON can hold.

    Args:
        value: Plain containers and scalars, NumPy and zero-dimensional torch scalars, paths.
        path: Dotted name of the value, for the error.

    Raises:
        ValueError: for anything else.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain_values(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_values(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Path):
        return value.as_posix()
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return plain_values(value.item(), path)
    raise ValueError(f"a report holds plain values only, got {type(value).__name__} at {path}")
