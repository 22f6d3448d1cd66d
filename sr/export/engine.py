"""Further engines that run an exported net: what each adds to a release, to its proof and to its report."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from sr.cost.latency import call_latency
from sr.evaluation import Upscaler
from sr.export.certificate.proof import Form
from sr.export.graph.onnx_graph import PIXELS, Graph
from sr.export.release import Release

log = logging.getLogger(__name__)


class Built(NamedTuple):
    """What an engine made of a release: forms for the proof, and facts for the report."""

    forms: list[tuple[Form, float]]
    report: dict[str, Any]


class Engine(Protocol):
    """A runtime besides ONNX Runtime and the HTP."""

    @property
    def package(self) -> str:
        """Name of the package that it needs, whose version decides what it makes."""

    def why_missing(self) -> str | None:
        """None when the engine works here, else why not and what to do."""

    def check(self, scheme: Any) -> None:
        """Refuse a scheme that the engine cannot take, by a ValueError that says what to do."""

    def build(self, release: Release, work: Path, log: Path) -> Built:
        """Write files into `work` and make the forms; native code's words go to the end of `log`.

        Raises:
            ValueError: something that the engine cannot take, named.
        """

    def upscalers(self, folder: Path, log: Path) -> dict[str, Upscaler]:
        """The exported net as functions on whole images, by the name of the form that they run."""


Engines = Mapping[str, Engine]


def say_missing(engines: Engines) -> None:
    """Warn of engines that will not run, while nothing is lost yet."""
    for name, engine in engines.items():
        if missing := engine.why_missing():
            log.warning("the export will leave %s out: %s", name, missing)


def build_engines(
    engines: Engines, release: Release, work: Path, log: Path
) -> tuple[list[tuple[Form, float]], dict[str, Any]]:
    """Let each engine that works here build; returns forms with their bounds, and by name what to report."""
    forms: list[tuple[Form, float]] = []
    reports: dict[str, Any] = {}
    for name, engine in engines.items():
        if missing := engine.why_missing():
            reports[name] = {"skipped": missing}
            continue
        built = engine.build(release, work, log)
        forms += built.forms
        reports[name] = built.report
    return forms, reports


def to_pixels(lr: Tensor) -> np.ndarray:
    """Floats (1, C, h, w) in [0, 1] -> what a file with whole pixels takes: uint8 (1, h, w, C)."""
    pixels = (lr.float() / PIXELS.scale).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    return np.ascontiguousarray(pixels.numpy())


def from_pixels(made: np.ndarray) -> Tensor:
    """The uint8 pixels (1, H, W, C) that such a file gives -> floats (1, C, H, W) in [0, 1]."""
    return torch.from_numpy(np.array(made)).permute(0, 3, 1, 2).float() / 255


@dataclass(frozen=True, kw_only=True)
class CpuEngine:
    """What engines on this machine's CPU have in common: settings, and how they are timed.

    Args:
        num_threads: of the engine, when it is timed and when it scores.
        num_repeats: timed passes at the size of the target.
        max_db: how far its PSNR may be from the net's on the crops of the proof.
    """

    num_threads: int
    num_repeats: int
    max_db: float

    def check(self, scheme: Any) -> None:
        """See `Engine.check`: it takes all."""

    def timed(self, release: Release, run: Any) -> dict[str, Any]:
        """Time `run`, which takes uint8 (1, h, w, C), on one image of noise of the size of the target."""
        size = fixed_size(release)
        noise = np.random.default_rng(0).integers(0, 256, (1, *size), dtype=np.uint8)
        once = {"num_warmup": 1, "num_threads": self.num_threads}
        found = call_latency(lambda: run(noise), num_repeats=self.num_repeats, **once)
        return {"lr_height": size[0], "lr_width": size[1], **found.to_dict()}


def fixed_size(release: Release) -> tuple[int, int, int]:
    """Height, width and channels of what the file of one size takes."""
    height, width, channels = (
        dim.dim_value for dim in Graph.load(release.fixed).model.graph.input[0].type.tensor_type.shape.dim[1:]
    )
    return height, width, channels


def kind(release: Release) -> str:
    """Word for what the net computes in."""
    return "int8" if release.quantized else "float"
