"""Engines: further runtimes of an exported net, and what each adds to a release, its certificate and its report."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from sr.cost.latency import call_latency
from sr.evaluation import Upscaler
from sr.export.certificate.proof import Bounded
from sr.export.graph.onnx_graph import PIXEL_GRID, Graph
from sr.export.kit_model import KitModel
from sr.export.release import Release

log = logging.getLogger(__name__)


class Built(NamedTuple):
    """Result of an engine: forms for the certificate, facts for the report, phone files."""

    forms: list[Bounded]
    report: dict[str, Any]
    models: Sequence[KitModel] = ()


class Exported(NamedTuple):
    """Exported net in one runtime: the files that it is read from, and the function that opens it for any image."""

    files: list[Path]
    open: Callable[[], Upscaler]


class Engine(Protocol):
    """Runtime besides ONNX Runtime and the HTP."""

    @property
    def packages(self) -> tuple[str, ...]:
        """Return the names of the packages that it needs; their versions are part of the certificate's inputs."""

    def why_missing(self) -> str | None:
        """Return None if the engine works here, else the reason and what to do."""

    def check(self, scheme: Any) -> None:
        """Raise ValueError with advice if the engine does not support a scheme."""

    def check_graph(self, release: Release) -> None:
        """Raise ValueError if the engine lacks an operator of a release, whose weights do not matter."""

    def build(self, release: Release, work: Path, log: Path) -> Built:
        """Write files into `work` and return the forms; output of native code is appended to `log`.

        Raises:
            ValueError: The engine does not support something; the message names it.
        """

    def runtimes(self, folder: Path, log: Path) -> dict[str, Exported]:
        """Return how the export in a folder is run on whole images, by the name of the form; {} if it cannot be."""


Engines = Mapping[str, Engine]


def say_missing(engines: Engines) -> None:
    """Warn before the training of engines that cannot run here."""
    for name, engine in engines.items():
        if missing := engine.why_missing():
            log.warning("the export will leave %s out: %s", name, missing)


def build_engines(
    engines: Engines, release: Release, work: Path, log: Path
) -> tuple[list[Bounded], dict[str, Any], list[KitModel]]:
    """Build every engine that works here.

    Args:
        engines: Engines by name.
        release: The exported graphs and files.
        work: Folder for further files.
        log: File for the output of native code.

    Returns:
        Forms with their bounds, the report of each engine by name, and files for the phone kit.
    """
    forms: list[Bounded] = []
    reports: dict[str, Any] = {}
    models: list[KitModel] = []
    for name, engine in engines.items():
        if missing := engine.why_missing():
            reports[name] = {"skipped": missing}
            continue
        built = engine.build(release, work, log)
        forms += built.forms
        reports[name] = built.report
        models += built.models
    return forms, reports, models


def to_pixels(lr: Tensor) -> np.ndarray:
    """Convert floats (1, C, h, w) in [0, 1] to uint8 pixels (1, h, w, C).

    >>> to_pixels(torch.tensor([0.0, 0.2, 1.0]).reshape(1, 3, 1, 1)).tolist()
    [[[[0, 51, 255]]]]
    """
    pixels = (lr.float() / PIXEL_GRID.scale).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    return np.ascontiguousarray(pixels.numpy())


def from_pixels(made: np.ndarray) -> Tensor:
    """Convert uint8 pixels (1, H, W, C) to floats (1, C, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(made)).permute(0, 3, 1, 2).float() / 255


@dataclass(frozen=True, kw_only=True)
class CpuEngine:
    """Settings of engines on this machine's CPU, and their timing.

    Args:
        num_threads: Threads of the engine, for timing and scoring.
        num_repeats: Timed passes at the size of the target.
        max_db: Largest allowed PSNR difference to the net on the crops of the certificate, in dB.
    """

    num_threads: int
    num_repeats: int
    max_db: float

    def check(self, scheme: Any) -> None:
        """Accept every scheme, see `Engine.check`."""

    def check_graph(self, release: Release) -> None:
        """Accept every graph, see `Engine.check_graph`."""

    def timed(self, release: Release, run: Any) -> dict[str, Any]:
        """Time a function of uint8 (1, h, w, C) on one image of noise of the target's size.

        Args:
            release: The exported graphs and files.
            run: The function.

        Returns:
            LR size and the times in ms.
        """
        size = fixed_size(release)
        noise = np.random.default_rng(0).integers(0, 256, (1, *size), dtype=np.uint8)
        once = {"num_warmup": 1, "num_threads": self.num_threads}
        found = call_latency(lambda: run(noise), num_repeats=self.num_repeats, **once)
        return {"lr_height": size[0], "lr_width": size[1], **found.to_dict()}


def fixed_size(release: Release) -> tuple[int, int, int]:
    """Return height, width and channels of the input of the file of fixed size."""
    height, width, channels = (
        dim.dim_value for dim in Graph.load(release.fixed).model.graph.input[0].type.tensor_type.shape.dim[1:]
    )
    return height, width, channels


def kind(release: Release) -> str:
    """Return "int8" for a quantized net, "float" for a float net."""
    return "int8" if release.quantized else "float"
