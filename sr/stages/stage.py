"""What all stages share: what they work on, and how a result is found, taken from another run, or made."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console
from torch import nn

from sr import metrics
from sr.models.net import Net
from sr.quantization.scheme import Scheme
from sr.report.provenance import maker
from sr.runs.files import read_json
from sr.runs.ownership import settings_of
from sr.runs.parts import NO_PARTS, Parts
from sr.runs.results import ResultIndex, is_whole, result_key, write_result
from sr.stages.stage_images import StageImages

NO_WEIGHTS = "the net has no weights"


@dataclass(frozen=True, kw_only=True)
class Job:
    """What the stages of a run work on.

    Attributes:
        folder: of the run.
        config: its settings, plain containers.
        net: the float net in its inference form, on the CPU; before the training one with other weights.
        loss: module (sr, hr) -> scalar that training stages minimise.
        scheme: how the net is quantized.
        target: what it is exported for.
        images: where images come from.
        unpruned: the net before filter pruning; None where nothing was pruned.
        parts: compilations and comparisons of other exports.
    """

    folder: Path
    config: Mapping[str, Any]
    net: Net
    loss: nn.Module
    scheme: Scheme
    target: Any
    images: StageImages
    unpruned: Net | None = None
    parts: Parts = NO_PARTS

    @property
    def protocol(self) -> metrics.Protocol:
        """The protocol of the test sets."""
        return metrics.protocol(self.config["protocol"])


class Outcome(NamedTuple):
    """What a stage leaves: facts for its result file, and the other files that it wrote, relative to the run folder."""

    facts: dict[str, Any]
    files: Iterable[str] = ()


class Stage:
    """Work after training.

    Attributes:
        name: of the stage, for keys, messages and reports.
        version: raised when the same inputs give another result.
    """

    name: str
    version = 1

    @property
    def result(self) -> str:
        """Return the result file in the run folder, which is written last."""
        raise TypeError(f"{type(self).__name__} must define `result`")

    @property
    def requires(self) -> tuple[str, ...]:
        """Return the stages whose results this one reads."""
        return ()

    def skip_reason(self, job: Job) -> str:
        """Return why there is nothing to do for a net; empty where there is."""
        return "" if has_weights(job.net) else NO_WEIGHTS

    def split(self, job: Job) -> "list[Stage]":
        """Return the stages that this one consists of once those that it requires are done; mostly itself."""
        return [self]

    def check(self, job: Job) -> None:
        """Raise ValueError before the training if `work` would raise it afterwards."""

    def inputs(self, job: Job) -> dict[str, Any]:
        """Return hashes of what `work` reads."""
        raise TypeError(f"{type(self).__name__} must define `inputs`")

    def work(self, job: Job) -> Outcome:
        """Do the work."""
        raise TypeError(f"{type(self).__name__} must define `work`")


def has_weights(net: nn.Module) -> bool:
    """Whether there is something to train or to quantize in a net."""
    return any(parameter.requires_grad for parameter in net.parameters())


def complete_stage(stage: Stage, job: Job, index: ResultIndex, *, redo: bool = False) -> dict[str, Any]:
    """Return the result of a stage: that of the run folder, else that of another run, else made now.

    Args:
        stage: what is to be done.
        job: what it works on.
        index: of other runs' results.
        redo: make it even if another run has it.

    Raises:
        ValueError: from the stage.
    """
    settings = settings_of(stage.name, job.config)
    key = result_key(stage.name, stage.version, settings, stage.inputs(job))
    if not is_whole(job.folder, stage.result, key):
        source = None if redo else index.take(stage.name, key, job.folder, stage.result)
        if source:
            print(f"{stage.name}: the result of {source} is taken")
        else:
            _make(stage, job, key)
            index.add(job.folder, stage.result)
    return read_json(job.folder / stage.result)


def _make(stage: Stage, job: Job, key: str) -> None:
    Console().print(f"[bold]{stage.name}[/bold] -> {stage.result}", highlight=False)
    started = time.perf_counter()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.config["seed"])  # so that a result depends on its key alone
        outcome = stage.work(job)
    signed = {"stage": stage.name, "key": key, "made_by": maker(), "seconds": round(time.perf_counter() - started, 3)}
    write_result(job.folder, stage.result, outcome.facts | signed, outcome.files)


def check_stages(stages: Iterable[Stage], named: Mapping[str, Any], job: Job) -> None:
    """Raise ValueError now if a stage could not do its work after the training.

    Args:
        stages: that are asked for; one whose result is there is not asked.
        named: what is under `callbacks`, by name; None where something is switched off.
        job: with a net whose weights do not matter.
    """
    for stage in stages:
        if stage.skip_reason(job) or (job.folder / stage.result).is_file():
            continue
        if missing := [other for other in stage.requires if named.get(other) is None]:
            raise ValueError(
                f"callbacks.{missing[0]}=null, but the stage {stage.name} reads its result: set "
                f"callbacks.{stage.name}=null, too, or leave callbacks.{missing[0]} on"
            )
        with torch.random.fork_rng(devices=[]):
            stage.check(job)
