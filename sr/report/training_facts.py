"""Length and data of a training, beside a score so that a short run is not mistaken for a reproduction."""

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from sr.report.published import Published
from sr.report.record import Report


def trainings(report: Report, value: Published) -> dict[str, Any]:
    """Return length and images of both trainings, as far as they are stated.

    Returns:
        {"iterations", "budget" (only of a shortened recipe), "start" (only of a run that did not begin from nothing),
        "data", "published_iterations", "published_data"}.
    """
    budget, theirs = report.training.get("budget", 1), value.training
    return {
        "iterations": report.training.get("iterations"),
        "budget": budget if budget != 1 else None,
        "start": _start(report.config),
        "data": our_data(report),
        "published_iterations": theirs.get("iterations"),
        "published_data": ", ".join(
            part for part in (theirs.get("data"), f"{theirs['epochs']} epochs" if "epochs" in theirs else None) if part
        )
        or None,
    }


def _start(config: Mapping[str, Any]) -> str | None:
    """Return what a net started from or was distilled from: iterations that `training.iterations` lacks."""
    task = config.get("task") or {}
    teacher = task.get("teacher")
    parts = [
        f"from {config['init']}" if config.get("init") else None,
        f"blended with {config['blend']}" if config.get("blend") else None,
        f"taught by {teacher.get('source')}" if isinstance(teacher, Mapping) else None,
    ]
    return ", ".join(part for part in parts if part) or None


def our_data(report: Report) -> str:
    """Name the training images of a run, and count them.

    The report's `data.train_sources` and `data.num_images` are used, else the sources of the config.
    """
    sources = report.data.get("train_sources") or list(_source_names(report.config.get("data") or {}))
    names = " + ".join(map(str, sources)) if isinstance(sources, (list, tuple)) else str(sources)
    num_images = report.data.get("num_images")
    return f"{names} ({num_images})" if num_images else names


def _source_names(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the folder names of the training images in a config."""
    for source in data.get("sources") or []:
        path = str(source.get("path", ""))
        yield path if path.startswith("package:") else PurePath(data.get("root") or "", path).name
