"""The stages of a run in their order, each done once."""

from collections.abc import Collection, Mapping
from typing import Any

from sr.runs.results import ResultIndex
from sr.stages.evaluate import Evaluations
from sr.stages.stage import Job, Stage, complete_stage


def stages_in_order(callbacks: Mapping[str, Any]) -> list[Stage]:
    """List the stages in the order of their work.

    Args:
        callbacks: what is under `callbacks` of the config, by name; None where something is switched off.
    """
    on = {name: stage for name, stage in callbacks.items() if stage is not None}
    evaluate = on.get("evaluate", Evaluations(forms=[]))
    listed = [
        *evaluate.of("bicubic", "float"),
        on.get("quantize"),
        *(evaluate.of("simulated") if "quantize" in on else ()),
        on.get("sensitivity"),
        on.get("perceptual"),
        on.get("export"),
        *(evaluate.of("exported") if "export" in on else ()),
        on.get("images"),
        on.get("cost"),
    ]
    return [stage for stage in listed if stage is not None]


def complete_all(
    stages: list[Stage], job: Job, index: ResultIndex, redo: Collection[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Do all stages, each once.

    Args:
        stages: in their order.
        job: what they work on.
        index: of other runs' results.
        redo: names of stages that take no other run's result.

    Returns:
        Results by their files, and the reasons of the stages that had nothing to do.
    """
    results, skipped = dict[str, dict[str, Any]](), dict[str, str]()
    for stage in stages:
        if reason := stage.skip_reason(job):
            skipped[stage.name] = reason
        else:
            for each in stage.split(job):
                results[each.result] = complete_stage(each, job, index, redo=each.name in redo)
    return results, {name: reason for name, reason in skipped.items() if not _was_done(name, results)}


def _was_done(name: str, results: Mapping[str, dict[str, Any]]) -> bool:
    return any(result["stage"] == name for result in results.values())
