"""Upscale all pictures below a folder: reading, upscaling and writing overlap, finished ones are skipped."""

import math
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from sr.data.full_image import FullImage
from sr.data.image import ENDINGS, image_size
from sr.data.image_writer import FORMATS
from sr.runs.failures import in_one_line
from sr.runs.files import MARK, read_json, write_json
from sr.runs.screen_text import printable
from sr.upscale.one_picture import PictureSettings, ShowPicture, read_for, shown, upscaled_size, write_picture
from sr.upscale.opened_net import OpenedNet
from sr.upscale.stages import Stages

RECORD = ".sr-upscale.json"
"""In the target folder: which net and which quality made its pictures."""
STREAMED_PX = 2**23
"""LR pixels above which the result of a picture is never whole in memory."""


@dataclass
class FolderResult:
    """What became of the pictures of a folder.

    Args:
        num_written: pictures that were upscaled now.
        num_skipped: pictures that had been upscaled before.
        failed: one line for each picture that could not be upscaled.
    """

    num_written: int = 0
    num_skipped: int = 0
    failed: list[str] = field(default_factory=list)


@dataclass
class _Job:
    """A picture on its way; `error` says why it ended early."""

    source: Path
    target: Path
    image: FullImage | None = None
    strips: Iterable[np.ndarray] = ()
    error: str = ""
    is_done: bool = False


def upscale_folder(
    net: OpenedNet, source: Path, target: Path, settings: PictureSettings, watch: ShowPicture | None = None
) -> FolderResult:
    """Upscale every picture below a folder to the same place below another one.

    A picture is skipped if its target is newer and has the right size. A broken file is reported, and the rest goes on.

    Args:
        net: the net.
        source: folder with pictures, at any depth.
        target: folder for the results; made if it is missing.
        settings: how pictures are read and written.
        watch: function that is shown every picture, such as `SliderPage.add`.

    Raises:
        ValueError: a folder inside the other, no pictures, two pictures with one target, or a target folder that
            another net has filled.
    """
    check_folders(source, target)
    pairs = _pairs(source, target)
    _record(target, {"net": net.title, "quality": settings.quality})
    result = FolderResult()
    stages = Stages(
        {
            "read": lambda _: _read(net, pairs, settings),
            "upscale": lambda jobs: _upscaled(net, jobs, watch),
            "write": lambda jobs: _written(net, jobs, settings),
        }
    )
    with tqdm(total=len(pairs), unit="picture", file=sys.stderr, smoothing=0.05) as bar:
        for job in stages.results():
            _count(job, result, bar)
    return result


def check_folders(source: Path, target: Path) -> None:
    """Refuse two folders of which one is inside the other.

    Raises:
        ValueError: they are equal, one is inside the other, or the target is a file.
    """
    if target.exists() and not target.is_dir():
        raise ValueError(f"{target} is a file, and {source} is a folder; give a folder for the results")
    inner, outer = target.resolve(), source.resolve()
    if inner == outer:
        raise ValueError(f"{target} is the source itself; give another folder for the results")
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise ValueError(f"of {source} and {target} one is inside the other; give a folder beside it for the results")


def _pairs(source: Path, target: Path) -> list[tuple[Path, Path]]:
    pairs: dict[Path, Path] = {}
    for place, folders, files in os.walk(source):
        folders.sort()
        for name in sorted(files):
            path = Path(place, name)
            if path.suffix.lower() not in ENDINGS or name.startswith(MARK):
                continue
            ending = path.suffix if path.suffix.lower() in FORMATS else ".png"
            goal = (target / path.relative_to(source)).with_suffix(ending)
            if goal in pairs:
                raise ValueError(f"{pairs[goal]} and {path} would both become {goal}; rename one of them")
            pairs[goal] = path
    if not pairs:
        raise ValueError(f"{source} holds no pictures; their endings are {', '.join(ENDINGS)}")
    return [(path, goal) for goal, path in pairs.items()]


def _record(target: Path, made_by: dict[str, Any]) -> None:
    """Write what fills the target folder; refuse to mix it with pictures of another net."""
    path = target / RECORD
    if path.is_file() and (before := read_json(path)) != made_by:
        raise ValueError(f"{target} holds pictures made with {before}, and now it is {made_by}; give another folder")
    write_json(path, made_by)


def _read(net: OpenedNet, pairs: list[tuple[Path, Path]], settings: PictureSettings) -> Iterator[_Job]:
    for source, target in pairs:
        job = _Job(source, target)
        try:
            job.is_done = _is_done(net, source, target, settings)
            if not job.is_done:
                job.image = read_for(net, source, target, settings)
        except (ValueError, OSError) as error:
            job.error = in_one_line(error)
        yield job


def _is_done(net: OpenedNet, source: Path, target: Path, settings: PictureSettings) -> bool:
    if not target.is_file() or target.stat().st_mtime_ns <= source.stat().st_mtime_ns:
        return False
    try:
        found = image_size(target, math.inf)
    except ValueError:
        return False  # a damaged target is made anew
    return found == upscaled_size(image_size(source, settings.max_megapixels), net.scale)


def _upscaled(net: OpenedNet, jobs: Iterator[_Job], watch: ShowPicture | None) -> Iterator[_Job]:
    for job in jobs:
        if job.image is not None:
            try:
                pixels = job.image.pixels
                strips = shown(net.strips(pixels), job.source.name, pixels, net.scale, watch)
                # A huge picture is upscaled while it is written: its result may not fit into memory.
                job.strips = strips if pixels.shape[0] * pixels.shape[1] > STREAMED_PX else list(strips)
            except (ValueError, MemoryError) as error:
                job.error = f"{job.source}: {in_one_line(error)}"
        yield job


def _written(net: OpenedNet, jobs: Iterator[_Job], settings: PictureSettings) -> Iterator[_Job]:
    for job in jobs:
        if job.image is not None and not job.error:
            try:
                write_picture(job.image, net, job.strips, job.target, settings)
            except (ValueError, MemoryError) as error:
                job.error = f"{job.source}: {in_one_line(error)}"
        job.image, job.strips = None, ()
        yield job


def _count(job: _Job, result: FolderResult, bar: Any) -> None:
    bar.update()
    if job.error:
        result.failed.append(job.error)
        bar.write(printable(f"failed: {job.error}"), file=sys.stderr)
    elif job.is_done:
        result.num_skipped += 1
    else:
        result.num_written += 1
